import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { AlleracApi } from "@/api/allerac-api";
import { useApi } from "@/api/context";
import { pause } from "@/api/event-stream";
import { ApiError } from "@/api/problem";
import { UPDATES, useUpdates } from "@/layout/updates-state";

const AGAIN_MS = 1_000;

const isRefused = (error: unknown): boolean =>
  error instanceof ApiError && error.status >= 400 && error.status < 500;

/** Takes in every change as it happens; while the box is away, asks until it is back. */
async function follow(api: AlleracApi, queries: QueryClient, signal: AbortSignal): Promise<void> {
  for (;;) {
    let refused = false;
    try {
      for await (const updates of api.streamUpdates(signal)) {
        queries.setQueryData(UPDATES, updates);
      }
    } catch (error) {
      refused = isRefused(error);
    }
    if (signal.aborted) return;
    await queries.refetchQueries({ queryKey: UPDATES });
    if (refused) return;
    await pause(AGAIN_MS, signal);
  }
}

/** As `useUpdates`, told by the box instead of asked for. */
export function useLiveUpdates() {
  const api = useApi();
  const queries = useQueryClient();
  useEffect(() => {
    const left = new AbortController();
    follow(api, queries, left.signal).catch(() => undefined);
    return () => left.abort();
  }, [api, queries]);
  return useUpdates({ isFollowed: true });
}
