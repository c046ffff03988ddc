import { EventSourceParserStream } from "eventsource-parser/stream";
import { accepted, reach } from "./http";
import { ApiError } from "./problem";

// The server pings every 15 s; a connection silent for twice that is dead.
const SILENCE_MS = 32_000;

export interface StreamedEvent {
  event: string;
  id: string | undefined;
  data: unknown;
}

function watchSilence(signal: AbortSignal): { signal: AbortSignal; heard: () => void } {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  return {
    signal: AbortSignal.any([signal, silence.signal]),
    heard: () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
    },
  };
}

/** The named events of one connection, until it ends; silence ends it too. `body` is posted. */
export async function* readEvents(
  path: string,
  headers: Record<string, string>,
  signal: AbortSignal,
  body?: unknown,
): AsyncGenerator<StreamedEvent> {
  const ear = watchSilence(signal);
  const accept = { Accept: "text/event-stream", ...headers };
  const asked =
    body === undefined
      ? { headers: accept }
      : {
          method: "POST",
          headers: { ...accept, "Content-Type": "application/json" },
          body: JSON.stringify(body),
        };
  const response = await accepted(await reach(path, { ...asked, signal: ear.signal }));
  if (!response.body) throw ApiError.offline();
  const heartbeat = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      ear.heard();
      controller.enqueue(chunk);
    },
  });
  const events = response.body
    .pipeThrough(heartbeat)
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .pipeThrough(new EventSourceParserStream());
  const reader = events.getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      if (value.event) {
        yield { event: value.event, id: value.id, data: JSON.parse(value.data) as unknown };
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Waits; rejects as soon as `signal` says that nobody waits any more. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(new DOMException("Aborted", "AbortError"));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal.addEventListener("abort", stop, { once: true });
  });
}
