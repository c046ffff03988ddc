import { pause, readEvents } from "./event-stream";
import { ApiError } from "./problem";
import type { GenerationEvent } from "./types";

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 8_000;

async function* connect(
  generationId: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<GenerationEvent> {
  const path = `/generations/${generationId}/events?after=${after}`;
  for await (const { event, id, data } of readEvents(
    path,
    { "Last-Event-ID": String(after) },
    signal,
  )) {
    if (id === undefined) continue;
    yield { type: event, sequence: Number(id), ...(data as object) } as GenerationEvent;
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
