import { EventSourceParserStream } from "eventsource-parser/stream";
import { accepted, reach } from "./http";
import { ApiError } from "./problem";
import type { GenerationEvent } from "./types";

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 8_000;
// The server pings every 15 s; a connection silent for twice that is dead.
const SILENCE_MS = 32_000;

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
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

async function* connect(
  generationId: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<GenerationEvent> {
  const ear = watchSilence(signal);
  const response = await accepted(
    await reach(`/generations/${generationId}/events?after=${after}`, {
      headers: { Accept: "text/event-stream", "Last-Event-ID": String(after) },
      signal: ear.signal,
    }),
  );
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
      if (!value.event || value.id === undefined) continue;
      const data = JSON.parse(value.data) as object;
      yield { type: value.event, sequence: Number(value.id), ...data } as GenerationEvent;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function isFinal(error: unknown, signal: AbortSignal): boolean {
  if (signal.aborted) return true;
  return error instanceof ApiError && error.status >= 400 && error.status < 500;
}

/** See `ChatApi.streamGeneration`: reconnects with back-off and drops what was already seen. */
export async function* streamGeneration(
  generationId: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<GenerationEvent> {
  let seen = after;
  let wait = FIRST_RETRY_MS;
  for (;;) {
    try {
      for await (const event of connect(generationId, seen, signal)) {
        if (event.sequence <= seen) continue;
        seen = event.sequence;
        wait = FIRST_RETRY_MS;
        yield event;
        if (event.type === "done" || event.type === "error") return;
      }
    } catch (error) {
      if (isFinal(error, signal)) throw error;
    }
    await pause(wait, signal);
    wait = Math.min(wait * 2, LONGEST_RETRY_MS);
  }
}
