import { ApiError } from "../problem";
import type { GenerationEvent, Message } from "../types";
import { newId, notFound, pause, type Scenario } from "./scenario";

type EventBody = GenerationEvent extends infer Event
  ? Event extends GenerationEvent
    ? Omit<Event, "sequence">
    : never
  : never;

const ANSWER = `Here is what I can tell you.

A box like this keeps three things apart: **the model**, your *conversations*, and the people of the house.

1. The model reads what you write, from the beginning.
2. It writes one word after the other.
3. Nothing leaves the box [1].

| Part | Kept where |
| --- | --- |
| Conversations | on this box |
| Models | on this box |

\`\`\`python
def greet(name: str) -> str:
    return f"Good evening, {name}."
\`\`\`

The time to the first word is about $t = n / v$, with $n$ words to read at $v$ words a second.`;

interface Generation {
  message: Message;
  events: GenerationEvent[];
  stopped: boolean;
  halt: () => void;
  /** Resolves when somebody stops this answer. */
  halted: Promise<void>;
  wake: () => void;
  grown: Promise<void>;
}

export interface MockGenerations {
  start(message: Message, question: string): void;
  stop(id: string): void;
  stream(id: string, after: number, signal: AbortSignal): AsyncGenerator<GenerationEvent>;
}

function signalOf(): Pick<Generation, "wake" | "grown"> {
  let wake = (): void => undefined;
  const grown = new Promise<void>((resolve) => (wake = resolve));
  return { wake, grown };
}

function append(generation: Generation, event: EventBody): void {
  const sequence = generation.events.length + 1;
  generation.events.push({ ...event, sequence });
  if (event.type === "delta") {
    generation.message.content += event.text;
    generation.message.sequence = sequence;
  }
  const { wake } = generation;
  Object.assign(generation, signalOf());
  wake();
}

function finish(generation: Generation, words: number): void {
  const status = generation.stopped ? "stopped" : "complete";
  const usage = {
    prompt_tokens: 240,
    cached_tokens: 180,
    completion_tokens: Math.round(words * 1.3),
    first_token_seconds: 0.9,
    tokens_per_second: 15.8,
  };
  generation.message.status = status;
  generation.message.usage = usage;
  append(generation, { type: "done", status, finish_reason: "stop", usage });
}

function fail(generation: Generation): void {
  const problem = {
    code: "engine_stopped",
    message: "The model stopped working and is starting again.",
    hint: "Ask again.",
  };
  generation.message.status = "failed";
  generation.message.error = { ...problem, fields: {} };
  append(generation, { type: "error", ...problem, retriable: true });
}

async function write(generation: Generation, question: string, scenario: Scenario): Promise<void> {
  const tick = scenario.wordMilliseconds;
  append(generation, { type: "queued", position: 2, eta_seconds: 20 });
  if (question.includes("wait in line")) await generation.halted;
  await pause(tick * 12);
  for (const percent of [20, 64, 100]) {
    const progress = { done_tokens: percent * 12, total_tokens: 1200, cached_tokens: 0 };
    append(generation, { type: "reading", percent, ...progress });
    if (percent === 64 && question.includes("read for long")) await generation.halted;
    await pause(tick * 6);
  }
  if (question.includes("break")) {
    fail(generation);
    return;
  }
  const words = ANSWER.match(/\S+\s*/g) ?? [];
  let written = 0;
  for (const text of words) {
    if (generation.stopped) break;
    append(generation, { type: "delta", text });
    written += 1;
    await pause(tick);
  }
  finish(generation, written);
}

export function createMockGenerations(scenario: Scenario): MockGenerations {
  const generations = new Map<string, Generation>();
  const find = (id: string): Generation => {
    const generation = generations.get(id);
    if (!generation) throw notFound();
    return generation;
  };
  return {
    start(message, question) {
      const id = newId("generation");
      message.generation_id = id;
      const { wake: halt, grown: halted } = signalOf();
      const generation = { message, events: [], stopped: false, halt, halted, ...signalOf() };
      generations.set(id, generation);
      void write(generation, question, scenario);
    },
    stop(id) {
      const generation = find(id);
      generation.stopped = true;
      generation.halt();
    },
    async *stream(id, after, signal) {
      const generation = find(id);
      let next = after;
      for (;;) {
        const event = generation.events[next];
        if (signal.aborted) throw new ApiError(0, { code: "offline" });
        if (!event) {
          await generation.grown;
          continue;
        }
        next += 1;
        yield event;
        if (event.type === "done" || event.type === "error") return;
      }
    },
  };
}
