import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useApi } from "@/api/context";
import type { TrialEvent } from "@/api/library-types";
import type { GenerationEvent, Message } from "@/api/types";

export type Waiting =
  | { kind: "queued"; position: number; seconds: number | null }
  | { kind: "reading"; percent: number; tokens: number; known: number; seconds: number | null }
  | { kind: "starting" };

export interface Live {
  text: string;
  waiting: Waiting | null;
}

/** What is shown once `event` is known too. */
export function take(live: Live, event: GenerationEvent | TrialEvent): Live {
  switch (event.type) {
    case "queued":
      return {
        ...live,
        waiting: { kind: "queued", position: event.position, seconds: event.eta_seconds },
      };
    case "reading":
      return {
        ...live,
        waiting: {
          kind: "reading",
          percent: event.percent,
          tokens: event.total_tokens,
          known: event.cached_tokens,
          seconds: event.eta_seconds ?? null,
        },
      };
    case "delta":
      return { text: live.text + event.text, waiting: null };
    case "snapshot":
      return { text: event.text, waiting: null };
    default:
      return { ...live, waiting: null };
  }
}

/** Follows an answer that is being made; the box has it all, so leaving and returning loses nothing. */
export function useGeneration(message: Message): Live {
  const api = useApi();
  const queries = useQueryClient();
  const [live, setLive] = useState<Live>({ text: message.content, waiting: { kind: "starting" } });
  const { generation_id: id, sequence, conversation_id: conversation, content } = message;
  const isRunning = message.status === "streaming";
  useEffect(() => {
    if (!isRunning || id === null) return;
    const leaving = new AbortController();
    let current: Live = { text: content, waiting: content === "" ? { kind: "starting" } : null };
    // Before the first word, the place in line and the reading are worth hearing again.
    const heard = content === "" ? 0 : sequence;
    const follow = async (): Promise<void> => {
      for await (const event of api.streamGeneration(id, heard, leaving.signal)) {
        current = take(current, event);
        setLive(current);
      }
    };
    void follow()
      .catch(() => undefined)
      .then(() => {
        if (leaving.signal.aborted) return;
        void queries.invalidateQueries({ queryKey: ["conversation", conversation] });
        void queries.invalidateQueries({ queryKey: ["conversations"] });
      });
    return () => leaving.abort();
    // What the message held when it was first shown is where following starts; later rows are older.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [api, id, isRunning, conversation, queries]);
  return isRunning ? live : { text: message.content, waiting: null };
}
