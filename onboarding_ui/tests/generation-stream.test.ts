import { streamGeneration } from "@/api/generation-stream";
import { ApiError } from "@/api/problem";
import type { GenerationEvent } from "@/api/types";

interface Asked {
  url: string;
  lastEventId: string | null;
}

const event = (id: number, type: string, data: object): string =>
  `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;

/** Plays a box that answers each connection with the next of `replies`. */
function play(...replies: (string | number | Error | ReadableStream<Uint8Array>)[]): Asked[] {
  const asked: Asked[] = [];
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    asked.push({ url, lastEventId: new Headers(init.headers).get("Last-Event-ID") });
    const reply = replies[asked.length - 1] ?? new Error("no more replies");
    if (reply instanceof Error) return Promise.reject(reply);
    if (typeof reply === "number") {
      const error = { code: "not_found", message: "There is no such answer." };
      return Promise.resolve(new Response(JSON.stringify({ error }), { status: reply }));
    }
    return Promise.resolve(new Response(reply, { status: 200 }));
  });
  return asked;
}

async function hear(after: number, signal = new AbortController().signal) {
  const heard: GenerationEvent[] = [];
  for await (const one of streamGeneration("g", after, signal)) heard.push(one);
  return heard;
}

const texts = (events: GenerationEvent[]): string =>
  events.map((one) => (one.type === "delta" ? one.text : "")).join("");

const done = { status: "complete", finish_reason: "stop", usage: null };

beforeEach(() => vi.useFakeTimers({ shouldAdvanceTime: true, advanceTimeDelta: 250 }));
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a cut connection goes on after the last event that was heard, losing and doubling nothing", async () => {
  const asked = play(
    event(1, "delta", { text: "One " }) + event(2, "delta", { text: "two " }),
    event(2, "delta", { text: "two " }) + event(3, "delta", { text: "three" }),
    event(4, "done", done),
  );
  const heard = await hear(0);
  expect(texts(heard)).toBe("One two three");
  expect(heard.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
  expect(asked.map(({ lastEventId }) => lastEventId)).toEqual(["0", "2", "3"]);
});

test("an event cut in the middle counts only when it arrives whole", async () => {
  const cut = event(1, "delta", { text: "One " }) + 'id: 2\nevent: delta\ndata: {"te';
  const asked = play(cut, event(2, "delta", { text: "two" }) + event(3, "done", done));
  expect(texts(await hear(0))).toBe("One two");
  expect(asked[1]?.lastEventId).toBe("1");
});

test("a box that is away for a while is asked again", async () => {
  const asked = play(new TypeError("network"), 503, event(1, "done", done));
  expect(await hear(0)).toHaveLength(1);
  expect(asked).toHaveLength(3);
});

test("whoever returns hears only what is new", async () => {
  const asked = play(event(8, "delta", { text: "new" }) + event(9, "done", done));
  expect(texts(await hear(7))).toBe("new");
  expect(asked[0]).toEqual({ url: "/api/v1/generations/g/events?after=7", lastEventId: "7" });
});

test("pings keep the line open and are no events", async () => {
  play(": ping\n\n" + event(1, "delta", { text: "x" }) + ": ping\n\n" + event(2, "done", done));
  expect(await hear(0)).toHaveLength(2);
});

test("an error that the box tells ends the stream", async () => {
  const problem = { code: "engine_stopped", message: "Stopped.", hint: "", retriable: true };
  const asked = play(event(1, "error", problem));
  expect((await hear(0)).at(-1)).toMatchObject({ type: "error", code: "engine_stopped" });
  expect(asked).toHaveLength(1);
});

test("a refusal is final and not asked again", async () => {
  const asked = play(404);
  await expect(hear(0)).rejects.toBeInstanceOf(ApiError);
  expect(asked).toHaveLength(1);
});

test("leaving the page ends the stream at once", async () => {
  const leaving = new AbortController();
  const asked = play(new TypeError("network"), new TypeError("network"));
  const hearing = hear(0, leaving.signal);
  leaving.abort();
  await expect(hearing).rejects.toThrow();
  expect(asked.length).toBeLessThanOrEqual(1);
});
