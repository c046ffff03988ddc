import { useEffect, useRef, useState } from "react";
import { useApi } from "@/api/context";
import type { Assistant, Source, TrialEvent, TryAssistant } from "@/api/library-types";
import { ApiError } from "@/api/problem";
import { type Live, take } from "../chat/use-generation";

/** A question and its answer, as far as that has come. */
export interface Exchange extends Live {
  question: string;
  /** What was read for it; null where nothing was searched. */
  sources: Source[] | null;
  problem: unknown;
  running: boolean;
}

function begun(question: string): Exchange {
  const live: Live = { text: "", waiting: { kind: "starting" } };
  return { question, ...live, sources: null, problem: null, running: true };
}

function after(exchange: Exchange, event: TrialEvent): Exchange {
  if (event.type === "sources") return { ...exchange, sources: event.passages };
  if (event.type === "error") return { ...exchange, problem: new ApiError(503, event) };
  return { ...exchange, ...take(exchange, event) };
}

/** What is told to the box: what stands in the editor, and the talk without what had no answer. */
function asked(draft: Assistant, talk: Exchange[], question: string): TryAssistant {
  const { instructions, model_id, temperature, max_tokens } = draft;
  const { uses_knowledge, file_ids, is_narrowed } = draft;
  const before = talk
    .filter(({ text }) => text.trim() !== "")
    .flatMap(({ question: content, text }) => [
      { role: "user" as const, content },
      { role: "assistant" as const, content: text },
    ]);
  return {
    ...{ instructions, model_id, temperature, max_tokens, uses_knowledge, file_ids, is_narrowed },
    turns: [...before, { role: "user", content: question }],
  };
}

/** A talk with an assistant that is being written; it lives here and nowhere else. */
export function useTrial(draft: Assistant) {
  const api = useApi();
  const [talk, setTalk] = useState<Exchange[]>([]);
  const leaving = useRef<AbortController>(null);
  useEffect(() => () => leaving.current?.abort(), []);
  const change = (next: (exchange: Exchange) => Exchange): void =>
    setTalk((before) => before.map((each, at) => (at === before.length - 1 ? next(each) : each)));
  const follow = async (body: TryAssistant, { signal }: AbortController): Promise<void> => {
    for await (const event of api.streamTrial(body, signal)) {
      if (signal.aborted) return;
      change((exchange) => after(exchange, event));
    }
  };
  const ask = (question: string): void => {
    const going = new AbortController();
    leaving.current = going;
    setTalk([...talk, begun(question)]);
    void follow(asked(draft, talk, question), going)
      .catch((problem: unknown) => {
        if (!going.signal.aborted) change((exchange) => ({ ...exchange, problem }));
      })
      .then(() => {
        if (going.signal.aborted) return;
        change((exchange) => ({ ...exchange, waiting: null, running: false }));
      });
  };
  const stop = (): void => {
    leaving.current?.abort();
    change((exchange) => ({ ...exchange, waiting: null, running: false }));
  };
  const clear = (): void => {
    leaving.current?.abort();
    setTalk([]);
  };
  return { talk, ask, stop, clear };
}
