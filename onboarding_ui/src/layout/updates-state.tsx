import { useQuery } from "@tanstack/react-query";
import { useApi } from "@/api/context";
import type { Updates } from "@/api/types";

const MOVING = new Set<Updates["state"]>(["checking", "downloading", "rebooting", "proving"]);
const SWITCHING = new Set<Updates["state"]>(["installed", "rebooting", "proving"]);
const LOOK_AGAIN_MS = 10_000;
const LOOK_CLOSELY_MS = 1_000;

const UPDATES = ["updates"];

/** Where the box's update is; asked again and again, also while the box restarts. */
export function useUpdates() {
  const api = useApi();
  return useQuery({
    queryKey: UPDATES,
    queryFn: () => api.getUpdates(),
    retry: false,
    refetchInterval: ({ state: { data } }) =>
      data && MOVING.has(data.state) ? LOOK_CLOSELY_MS : LOOK_AGAIN_MS,
  });
}

export function isSwitching(updates: Updates | undefined): boolean {
  return updates !== undefined && SWITCHING.has(updates.state);
}

/** The state that the words begin with: only who looked, and may take what is newer, is up to date. */
export function headlineOf(updates: Updates): Updates["state"] {
  const { state, checked_at, pinned_version, reason } = updates;
  const isSure = checked_at !== null && pinned_version === null && reason === null;
  return state === "idle" && !isSure ? "good" : state;
}

/** Whether the box is away because it restarts into another version, as far as this page knows. */
export function useIsSwitching(): boolean {
  const api = useApi();
  const known = useQuery({
    queryKey: UPDATES,
    queryFn: () => api.getUpdates(),
    enabled: false,
  });
  return isSwitching(known.data);
}
