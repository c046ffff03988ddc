import { useQuery } from "@tanstack/react-query";
import { useApi } from "@/api/context";
import type { Updates } from "@/api/types";

const MOVING = new Set<Updates["state"]>(["downloading", "rebooting", "proving"]);
const SWITCHING = new Set<Updates["state"]>(["installed", "rebooting", "proving"]);
const LOOK_AGAIN_MS = 10_000;

export const UPDATES = ["updates"];

/** Where the box's update is; asked again now and then, unless a stream tells every change. */
export function useUpdates({ isFollowed = false } = {}) {
  const api = useApi();
  return useQuery({
    queryKey: UPDATES,
    queryFn: () => api.getUpdates(),
    retry: false,
    refetchInterval: isFollowed ? false : LOOK_AGAIN_MS,
  });
}

export function isSwitching(updates: Updates | undefined): boolean {
  return updates !== undefined && SWITCHING.has(updates.state);
}

/** The state that the words begin with: only who looked, and may take what is newer, is up to date. */
export function headlineOf(updates: Updates): Updates["state"] {
  const { state, checked_at, pinned_version, reason, withheld } = updates;
  const isSure = checked_at !== null && pinned_version === null && reason === null;
  return state === "idle" && !(isSure && withheld === null) ? "good" : state;
}

/** The update as far as this window knows of it; nothing is asked for what nobody has opened. */
function useKnownUpdates(): Updates | undefined {
  const api = useApi();
  const isMoving = (updates: Updates | undefined) => !!updates && MOVING.has(updates.state);
  const known = useQuery({
    queryKey: UPDATES,
    queryFn: () => api.getUpdates(),
    retry: false,
    refetchOnMount: false,
    enabled: ({ state }) => isMoving(state.data),
    refetchInterval: ({ state }) => (isMoving(state.data) ? LOOK_AGAIN_MS : false),
  });
  return known.data;
}

/** Whether the box is away because it restarts into another version, as far as this page knows. */
export function useIsSwitching(): boolean {
  return isSwitching(useKnownUpdates());
}

/** Whether an update is under way, as far as this page knows. */
export function useIsUpdating(): boolean {
  const known = useKnownUpdates();
  return known !== undefined && MOVING.has(known.state);
}
