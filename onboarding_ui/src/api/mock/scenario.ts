import { ApiError } from "../problem";
import type { Language, Person, Updates } from "../types";

/** Which box the mock plays: one to be claimed, or one in use. */
export interface Scenario {
  claimed: boolean;
  signedIn: boolean;
  language: Language;
  /** Nobody has written anything yet. */
  empty: boolean;
  /** Downloads under way, halted and failed, as they look after an evening of trying. */
  downloading: boolean;
  /** A second model is on board. */
  secondModel: boolean;
  /** Another machine holds the box's name. */
  nameConflict: boolean;
  /** Where the update of the box is. */
  update: Updates["state"];
  /** What is wrong with the box. */
  health: "well" | "hot" | "full";
  /** Nobody has a key for SSH; somebody has; it is open. */
  ssh: "closed" | "ready" | "open";
  /** There is a newer version, which reaches this box later. */
  notItsTurn: boolean;
  /** Somebody else claims the box at the last step. */
  lostClaim: boolean;
  /** Duration of one streamed word and of one answered request; zero in tests. */
  wordMilliseconds: number;
  requestMilliseconds: number;
}

export const inUse: Scenario = {
  claimed: true,
  signedIn: true,
  language: "en",
  empty: false,
  downloading: false,
  secondModel: false,
  nameConflict: false,
  update: "idle",
  health: "well",
  ssh: "closed",
  notItsTurn: false,
  lostClaim: false,
  wordMilliseconds: 60,
  requestMilliseconds: 120,
};

const PLAYS: Record<string, Partial<Scenario>> = {
  unclaimed: { claimed: false, signedIn: false },
  "signed-out": { signedIn: false },
  empty: { empty: true },
  downloading: { downloading: true },
  "second-model": { secondModel: true },
  "name-conflict": { nameConflict: true },
  "lost-claim": { claimed: false, signedIn: false, lostClaim: true },
  "update-available": { update: "available" },
  "update-downloading": { update: "downloading" },
  "update-installed": { update: "installed" },
  "update-rebooting": { update: "rebooting" },
  "update-proving": { update: "proving" },
  "update-not-its-turn": { notItsTurn: true },
  "update-good": { update: "good" },
  "update-rolled-back": { update: "rolled_back" },
  "health-hot": { health: "hot" },
  "health-full": { health: "full" },
  "ssh-ready": { ssh: "ready" },
  "ssh-open": { ssh: "open" },
  quick: { wordMilliseconds: 0, requestMilliseconds: 0 },
};

/** The scenario that an address asks for, as `?play=unclaimed&play=quick`. */
export function scenarioOf(search: string): Partial<Scenario> {
  const plays = new URLSearchParams(search).getAll("play");
  return Object.assign({}, ...plays.map((play) => PLAYS[play] ?? {})) as Partial<Scenario>;
}

export const MOCK_CLAIM_CODE = "K7QM4XWP";
export const MOCK_PASSWORD = "quiet harbour lantern";
export const MOCK_RECOVERY_CODE = "5HKQ-9TWM-2XPD-RB7N-4CVJ";

export const owner: Person = {
  id: "person-1",
  name: "Ana",
  role: "owner",
  language: "en",
  disabled: false,
  created_at: "2026-09-01T18:00:00.000Z",
};

let counter = 0;

export function newId(kind: string): string {
  counter += 1;
  return `${kind}-${counter.toString().padStart(4, "0")}`;
}

export const now = (): string => new Date().toISOString();

export function pause(milliseconds: number): Promise<void> {
  return milliseconds <= 0
    ? Promise.resolve()
    : new Promise((resolve) => setTimeout(resolve, milliseconds));
}

export const notFound = (): ApiError =>
  new ApiError(404, { code: "not_found", message: "There is no such thing here." });

export function require<Value>(value: Value | undefined): Value {
  if (value === undefined) throw notFound();
  return value;
}

/** A picture that stands for a QR code: three corners and a pattern, not scannable. */
export function drawQr(text: string): string {
  const size = 25;
  let state = Array.from(text).reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7);
  const cells: string[] = [];
  const corner = (x: number, y: number): boolean =>
    (x < 8 && y < 8) || (x > 16 && y < 8) || (x < 8 && y > 16);
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      state = (state * 1664525 + 1013904223) >>> 0;
      if (!corner(x, y) && state > 2 ** 31) cells.push(`M${x} ${y}h1v1h-1z`);
    }
  }
  for (const [x, y] of [
    [0, 0],
    [18, 0],
    [0, 18],
  ] as const) {
    cells.push(`M${x} ${y}h7v7h-7zM${x + 1} ${y + 1}v5h5v-5zM${x + 2} ${y + 2}h3v3h-3z`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 29 29"><path fill="#fff" d="M-2-2h29v29h-29z"/><path fill="#000" fill-rule="evenodd" d="${cells.join("")}"/></svg>`;
}
