import { readFileSync } from "node:fs";
import { join } from "node:path";
import { vi } from "vitest";
import { liveApi } from "@/api/live";

interface Operation {
  operationId: string;
  responses: Record<string, unknown>;
}
type Asked = Record<string, (...given: string[]) => Promise<void>>;
type Paths = Record<string, Record<string, Operation>>;

const DOCUMENT = join(import.meta.dirname, "../../docs/openapi.json");
const { paths } = JSON.parse(readFileSync(DOCUMENT, "utf8")) as { paths: Paths };

/** The box's answers without a body. */
const EMPTY = Object.values(paths)
  .flatMap((methods) => Object.values(methods))
  .filter(({ responses }) => "204" in responses)
  .map(({ operationId }) => operationId)
  .filter((name) => name in liveApi);

afterEach(() => {
  vi.unstubAllGlobals();
});

test.each(EMPTY)("%s takes an answer without a body for what it is", async (name) => {
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(null, { status: 204 })));
  const box = liveApi as unknown as Asked;
  await expect(box[name]?.("one", "other")).resolves.toBeUndefined();
});

test("the document has such answers", () => {
  expect(EMPTY).toContain("testAlert");
  expect(EMPTY.length).toBeGreaterThan(10);
});

test("a trial is posted, and told as far as it came where the connection is cut", async () => {
  const asked: RequestInit[] = [];
  const told = 'id: 1\nevent: delta\ndata: {"text":"Ahoy"}\n\n';
  vi.stubGlobal("fetch", (_: string, init: RequestInit) => {
    asked.push(init);
    return Promise.resolve(new Response(told));
  });
  const body = { instructions: "Be a pirate.", turns: [{ role: "user" as const, content: "Hi" }] };
  const events = liveApi.streamTrial(body, new AbortController().signal);
  await expect(events.next()).resolves.toMatchObject({ value: { type: "delta", text: "Ahoy" } });
  await expect(events.next()).rejects.toMatchObject({ code: "offline" });
  expect(asked).toHaveLength(1);
  expect(asked[0]?.method).toBe("POST");
  expect(JSON.parse(asked[0]?.body as string)).toEqual(body);
  expect(new Headers(asked[0]?.headers).get("Content-Type")).toBe("application/json");
});

test("documents are listed to the last, however many there are", async () => {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url);
    const isFirst = asked.length === 1;
    const page = { items: [{ id: asked.length }], next_cursor: isFirst ? "next" : null };
    return Promise.resolve(Response.json(page));
  });
  const { items } = await liveApi.listFiles({ folder: "" });
  expect(items.map(({ id }) => id)).toEqual([1, 2]);
  expect(asked).toEqual([
    "/api/v1/knowledge/files?limit=200&folder=",
    "/api/v1/knowledge/files?cursor=next&limit=200&folder=",
  ]);
});
