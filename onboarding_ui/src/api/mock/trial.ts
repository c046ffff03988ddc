import type { LibraryApi, Source, TrialEvent } from "../library-types";
import { pause, type Scenario } from "./scenario";

const READ = { percent: 64, done_tokens: 128, total_tokens: 200, cached_tokens: 0 };

/** Answers as the assistant in the editor would; `source` is found where it looks. */
export function createMockTrial(
  scenario: Scenario,
  source: () => Source,
): LibraryApi["streamTrial"] {
  return async function* streamTrial({ instructions, uses_knowledge, turns }) {
    const tick = scenario.wordMilliseconds;
    if (uses_knowledge === true) yield { type: "sources", passages: [source()] };
    yield { type: "reading", ...READ };
    await pause(tick * 6);
    const asked = turns.at(-1)?.content ?? "";
    if (asked.includes("break")) {
      const message = "The model stopped working and is starting again.";
      yield { type: "error", code: "engine_stopped", message, hint: "Ask again.", retriable: true };
      return;
    }
    const answer = `You asked “${asked}”. I was told: “${instructions ?? ""}” [1].`;
    for (const text of answer.match(/\S+\s*/g) ?? []) {
      yield { type: "delta", text } satisfies TrialEvent;
      await pause(tick);
    }
    yield { type: "done", status: "complete", finish_reason: "stop", usage: null };
  };
}
