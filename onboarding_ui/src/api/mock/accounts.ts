import type { AlleracApi } from "../allerac-api";
import { ApiError } from "../problem";
import type {
  ApiKey,
  Invitation,
  Language,
  PasswordStrength,
  Person,
  Session,
  SessionItem,
} from "../types";
import {
  drawQr,
  MOCK_PASSWORD,
  MOCK_RECOVERY_CODE,
  newId,
  now,
  owner,
  require,
  type Scenario,
} from "./scenario";

const DAY_MS = 86_400_000;
const inDays = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();

export interface MockSession {
  person: Person | null;
}

const wrongCredentials = (): ApiError =>
  new ApiError(401, {
    code: "wrong_credentials",
    message: "Name and password do not match.",
    hint: "Check both and try again.",
  });

export function strengthOf(password: string, name = ""): PasswordStrength {
  const containsName = name.length > 2 && password.toLowerCase().includes(name.toLowerCase());
  const kinds = new Set(password.toLowerCase()).size;
  const score = containsName ? 1 : Math.min(4, Math.floor((password.length * kinds) / 45));
  const ok = password.length >= 10 && score >= 2;
  return { score, ok, reason: ok ? "" : "Take three or four words that do not belong together." };
}

function requireStrong(password: string, name: string): void {
  const { ok, reason } = strengthOf(password, name);
  if (ok) return;
  throw new ApiError(422, {
    code: "invalid_input",
    message: "This password is too easy to guess.",
    hint: reason,
    fields: { password: reason },
  });
}

type SessionApi = Pick<
  AlleracApi,
  | "getSession"
  | "signIn"
  | "signOut"
  | "recover"
  | "listSessions"
  | "signOutEverywhere"
  | "endSession"
  | "updateMe"
  | "changePassword"
  | "newRecoveryCode"
  | "checkPassword"
>;

const firstSessions = (): SessionItem[] => [
  {
    id: "session-1",
    agent: "Firefox on Linux",
    address: "192.168.1.20",
    created_at: inDays(-6),
    last_seen_at: now(),
    current: true,
  },
  {
    id: "session-2",
    agent: "Safari on iPhone",
    address: "192.168.1.31",
    created_at: inDays(-3),
    last_seen_at: inDays(-1),
    current: false,
  },
];

function createSessions(session: MockSession, language: Language): SessionApi {
  let sessions = firstSessions();
  const me = (): Person => {
    if (session.person) return session.person;
    throw new ApiError(401, { code: "not_signed_in", message: "Sign in first." });
  };
  const enter = (name: string): Session => {
    session.person = { ...owner, name, language };
    return { person: session.person, expires_at: inDays(30) };
  };
  return {
    getSession: async () => ({ person: me(), expires_at: inDays(30) }),
    signIn: async ({ name, password }) => {
      if (password !== MOCK_PASSWORD) throw wrongCredentials();
      return enter(name);
    },
    signOut: async () => void (session.person = null),
    recover: async ({ name, recovery_code, new_password }) => {
      if (recovery_code !== MOCK_RECOVERY_CODE) throw wrongCredentials();
      requireStrong(new_password, name);
      return { ...enter(name), recovery_code: MOCK_RECOVERY_CODE };
    },
    listSessions: () => Promise.resolve({ items: sessions }),
    signOutEverywhere: async () => void (sessions = sessions.filter((one) => one.current)),
    endSession: async (id) => void (sessions = sessions.filter((one) => one.id !== id)),
    updateMe: async (body) => {
      session.person = {
        ...me(),
        ...(body.name ? { name: body.name } : {}),
        ...(body.language ? { language: body.language } : {}),
      };
      return session.person;
    },
    changePassword: async ({ current_password, new_password }) => {
      if (current_password !== MOCK_PASSWORD) throw wrongCredentials();
      requireStrong(new_password, me().name);
    },
    newRecoveryCode: async ({ password }) => {
      if (password !== MOCK_PASSWORD) throw wrongCredentials();
      return { recovery_code: MOCK_RECOVERY_CODE };
    },
    checkPassword: ({ password, name }) => Promise.resolve(strengthOf(password, name)),
  };
}

type HouseholdApi = Pick<
  AlleracApi,
  | "listApiKeys"
  | "createApiKey"
  | "revokeApiKey"
  | "listPeople"
  | "updatePerson"
  | "deletePerson"
  | "listInvitations"
  | "createInvitation"
  | "revokeInvitation"
  | "readInvitation"
  | "acceptInvitation"
>;

function createHousehold(session: MockSession): HouseholdApi {
  let keys: ApiKey[] = [];
  let invitations: Invitation[] = [];
  let others: Person[] = [
    { ...owner, id: "person-2", name: "Jonas", role: "member", created_at: inDays(-20) },
  ];
  const everyone = (): Person[] => [session.person ?? owner, ...others];
  return {
    listApiKeys: () => Promise.resolve({ items: keys }),
    createApiKey: async ({ name }) => {
      const key = {
        id: newId("key"),
        name,
        prefix: "alr_7f3k",
        created_at: now(),
        last_used_at: null,
      };
      keys = [...keys, key];
      return { ...key, key: "alr_7f3kQm2x9VtRzC4nB8wLpE6dYhJs" };
    },
    revokeApiKey: async (id) => void (keys = keys.filter((one) => one.id !== id)),
    listPeople: () => Promise.resolve({ items: everyone() }),
    updatePerson: async (id, body) => {
      const person = require(everyone().find((one) => one.id === id));
      Object.assign(person, body);
      return person;
    },
    deletePerson: async (id) => void (others = others.filter((one) => one.id !== id)),
    listInvitations: () => Promise.resolve({ items: invitations }),
    createInvitation: async ({ role }) => {
      const id = newId("invitation");
      const expires_at = inDays(7);
      const created_by_name = (session.person ?? owner).name;
      invitations = [
        ...invitations,
        { id, role, created_at: now(), expires_at, used_at: null, created_by_name },
      ];
      const url = "http://kitchen.local/join/9fK2mQ7xWb4Tz";
      return { id, role, expires_at, url, qr_svg: drawQr(url) };
    },
    revokeInvitation: async (id) => void (invitations = invitations.filter((one) => one.id !== id)),
    readInvitation: async (token) => {
      if (token === "used") throw new ApiError(404, { code: "not_found", message: "Used." });
      return { household_name: "Kitchen", role: "member", expires_at: inDays(6) };
    },
    acceptInvitation: async (_token, { name, password, language }) => {
      requireStrong(password, name);
      session.person = { ...owner, id: newId("person"), name, language, role: "member" };
      return {
        person: session.person,
        expires_at: inDays(30),
        recovery_code: MOCK_RECOVERY_CODE,
      };
    },
  };
}

export function createMockAccounts(
  scenario: Scenario,
): { session: MockSession } & SessionApi & HouseholdApi {
  const me = { ...owner, language: scenario.language };
  const session: MockSession = { person: scenario.signedIn ? me : null };
  return { session, ...createSessions(session, scenario.language), ...createHousehold(session) };
}

export { requireStrong };
