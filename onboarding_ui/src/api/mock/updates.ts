import type { AlleracApi } from "../allerac-api";
import { ApiError } from "../problem";
import type { PastUpdate, UpdateReason, Updates } from "../types";
import { newId, now, pause, type Scenario } from "./scenario";

type UpdatesApi = Pick<
  AlleracApi,
  | "getUpdates"
  | "streamUpdates"
  | "listUpdateHistory"
  | "checkForUpdates"
  | "installUpdate"
  | "restartIntoUpdate"
  | "goBackToVersionBefore"
  | "postponeUpdates"
  | "pinVersion"
  | "changeUpdateSettings"
  | "listDriveBundles"
  | "installFromDrive"
>;

const BEFORE = "0.1.0";
const INSTALLED = "0.2.0";
const NEXT = "0.3.0";
const SIZE_BYTES = 412_000_000;
const DAY_MS = 86_400_000;
const SECONDS_A_PERCENT = 2;
const LOOK_MS = 1_000;
const NOTES = {
  en: "Answers begin sooner after a long pause.\nThe box finds its neighbours on the network again after the router restarts.",
  de: "Antworten beginnen nach einer langen Pause früher.\nDie Box findet ihre Nachbarn im Netz wieder, nachdem der Router neu gestartet ist.",
};

const TOO_SLOW: UpdateReason = {
  name: "too_slow",
  message: "The model answered much more slowly in the new version.",
  hint: "The version before runs again.",
};

const daysAgo = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString();

const available: Updates["available"] = {
  version: NEXT,
  channel: "stable",
  notes: NOTES,
  released_at: daysAgo(2),
  size_bytes: SIZE_BYTES,
};

function progressAt(percent: number): NonNullable<Updates["progress"]> {
  return {
    percent,
    done_bytes: Math.floor((SIZE_BYTES * percent) / 100),
    total_bytes: SIZE_BYTES,
    seconds_left: percent < 3 ? null : (100 - percent) * SECONDS_A_PERCENT,
  };
}

const AWAITED = new Set<Updates["state"]>([
  "available",
  "downloading",
  "installed",
  "rebooting",
  "proving",
]);

function firstUpdates({ update, notItsTurn }: Scenario): Updates {
  const hasSwitched = update === "proving" || update === "good";
  return {
    supported: true,
    state: update,
    installed: hasSwitched ? NEXT : INSTALLED,
    available: AWAITED.has(update) ? available : null,
    withheld: notItsTurn ? { version: NEXT, why: "not_its_turn", percentage: 20 } : null,
    progress: update === "downloading" ? progressAt(38) : null,
    reason: update === "rolled_back" ? TOO_SLOW : null,
    detail: update === "rolled_back" ? "21.4 of 42.0 tokens a second" : null,
    origin: update === "idle" ? null : "server",
    channel: "stable",
    pinned_version: null,
    postponed_until: null,
    checked_at: new Date(Date.now() - 5 * 3_600_000).toISOString(),
    automatic: true,
    hour: 3,
    restarts_at: update === "installed" ? new Date(Date.now() + DAY_MS / 2).toISOString() : null,
    other_version: hasSwitched ? INSTALLED : BEFORE,
  };
}

function past(version: string, from: string, days: number, result: PastUpdate["result"]) {
  return {
    id: newId("update"),
    version,
    from_version: from,
    origin: "server",
    notes: NOTES,
    began_at: daysAgo(days),
    ended_at: result === null ? null : daysAgo(days),
    result,
    reason: result === "rolled_back" ? TOO_SLOW : null,
    detail: null,
  } satisfies PastUpdate;
}

function firstHistory({ update }: Scenario): PastUpdate[] {
  const earlier = [past(INSTALLED, BEFORE, 40, "good")];
  if (update === "idle" || update === "checking" || update === "available") return earlier;
  const result = update === "good" || update === "rolled_back" ? update : null;
  return [past(NEXT, INSTALLED, 0, result), ...earlier];
}

/** A stream of what `look` finds; nothing is told of a box that is away. */
export function watching(look: () => Promise<Updates>, milliseconds: number) {
  return async function* (signal: AbortSignal): AsyncGenerator<Updates> {
    while (!signal.aborted) {
      yield await look();
      await pause(milliseconds);
    }
  };
}

/** Goes on by one step with each look at it, once somebody has begun something. */
export function createMockUpdates(scenario: Scenario): UpdatesApi {
  let updates = firstUpdates(scenario);
  let history = firstHistory(scenario);
  let isMoving = false;
  let isAway = false;
  const stride = scenario.requestMilliseconds > 0 ? 4 : 50;
  const set = (patch: Partial<Updates>): Updates => (updates = { ...updates, ...patch });
  const end = (result: PastUpdate["result"]): void => {
    history = history.map((one, place) =>
      place === 0 ? { ...one, result, ended_at: now() } : one,
    );
    isMoving = false;
  };
  const refuseUnless = (...states: Updates["state"][]): void => {
    if (states.includes(updates.state)) return;
    throw new ApiError(409, {
      code: "conflict",
      message: "The box is busy with another step of an update.",
      hint: "Wait until it is done.",
    });
  };
  const advance: Partial<Record<Updates["state"], () => void>> = {
    downloading: () => {
      const percent = Math.min(100, (updates.progress?.percent ?? 0) + stride);
      if (updates.progress?.percent === 100) {
        isMoving = false;
        set({ state: "installed", progress: null, restarts_at: daysAgo(-0.5) });
      } else set({ progress: progressAt(percent) });
    },
    rebooting: () => {
      isAway = !isAway;
      if (isAway) throw ApiError.offline();
      const version = history[0]?.version ?? NEXT;
      set({ state: "proving", installed: version, other_version: updates.installed });
    },
    proving: () => {
      set({ state: "good", available: null });
      end("good");
    },
  };
  const begin = (version: string, origin: PastUpdate["origin"], patch: Partial<Updates>) => {
    history = [{ ...past(version, updates.installed, 0, null), origin }, ...history];
    isMoving = true;
    return set({ ...patch, origin, reason: null });
  };
  const look = async (): Promise<Updates> => {
    if (isMoving) advance[updates.state]?.();
    return updates;
  };
  return {
    getUpdates: look,
    streamUpdates: watching(look, LOOK_MS),
    listUpdateHistory: async () => ({ items: history }),
    checkForUpdates: async () => {
      refuseUnless("idle", "available", "good", "rolled_back");
      return set({ state: "available", available, checked_at: now(), reason: null });
    },
    installUpdate: async () => {
      refuseUnless("available");
      return begin(NEXT, "server", { state: "downloading", progress: progressAt(0) });
    },
    restartIntoUpdate: async () => {
      refuseUnless("installed");
      isMoving = true;
      return set({ state: "rebooting", restarts_at: null });
    },
    goBackToVersionBefore: async () => {
      refuseUnless("idle", "available", "good", "rolled_back");
      const version = updates.other_version ?? BEFORE;
      return begin(version, "other_slot", { state: "rebooting", available: null });
    },
    postponeUpdates: async ({ until }) => set({ postponed_until: until }),
    pinVersion: async ({ version }) => set({ pinned_version: version }),
    changeUpdateSettings: async (body) => set(body as Partial<Updates>),
    listDriveBundles: async () => ({ items: [] }),
    installFromDrive: async () =>
      begin(NEXT, "drive", { state: "downloading", available, progress: progressAt(0) }),
  };
}
