import type { AlleracApi } from "../allerac-api";
import { ApiError } from "../problem";
import type { Ssh, SshEvent, SshKey } from "../types";
import { newId, notFound, now, owner, type Scenario } from "./scenario";

type SshApi = Pick<AlleracApi, "getSsh" | "addSshKey" | "removeSshKey" | "openSsh" | "closeSsh">;

/** SSH of the mock, and when it closes for those who only see the box. */
export interface MockSsh {
  part: SshApi;
  openUntil: () => string | null;
}

const LINE =
  /^(ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)|ssh-rsa) [A-Za-z0-9+/]+={0,2}(?: (.*))?$/;

const event = (act: SshEvent["act"], detail: string | null = null): SshEvent => ({
  act,
  person_name: owner.name,
  address: "192.168.1.23",
  agent: "Firefox",
  detail,
  happened_at: now(),
});

const keyOf = (kind: string, comment: string): SshKey => ({
  id: newId("ssh-key"),
  kind,
  comment,
  fingerprint: "SHA256:mVPwvezndPv/ARoIadVY98vAC0g+P/5633yTC4d/wXE",
  added_by: owner.name,
  created_at: now(),
});

export function createMockSsh({ ssh: scenario }: Scenario): MockSsh {
  let keys: SshKey[] = scenario === "closed" ? [] : [keyOf("Ed25519", "helper@workshop")];
  let events: SshEvent[] = [];
  let openUntil: string | null = null;
  const note = (...made: Parameters<typeof event>): void => {
    events = [event(...made), ...events];
  };
  const open = (hours: number): void => {
    openUntil = new Date(Date.now() + hours * 3_600_000).toISOString();
    note("opened", `${hours} h`);
  };
  const close = (): void => {
    if (openUntil !== null) note("closed");
    openUntil = null;
  };
  const told = async (): Promise<Ssh> => ({
    supported: true,
    account: "helper",
    open_until: openUntil,
    host_key: events.some(({ act }) => act === "opened")
      ? "SHA256:uNiVztksCsDhcc0u9e8BrrJXVl8JhaVLOZHJiqmBMKU"
      : null,
    keys,
    events,
  });
  if (scenario === "open") open(8);
  const part: SshApi = {
    getSsh: told,
    addSshKey: async ({ key }) => {
      const [, kind, comment] = LINE.exec(key.trim()) ?? [];
      if (kind === undefined) {
        const hint = "Paste the whole line of the .pub file, with nothing before it.";
        const message = "This key cannot be used.";
        throw new ApiError(422, { code: "invalid_input", message, hint, fields: { key: hint } });
      }
      const added = keyOf(kind === "ssh-ed25519" ? "Ed25519" : kind, comment ?? "");
      keys = [...keys, added];
      note("key_added", added.fingerprint);
      return added;
    },
    removeSshKey: async (id) => {
      const removed = keys.find((key) => key.id === id);
      if (!removed) throw notFound();
      keys = keys.filter((key) => key.id !== id);
      note("key_removed", removed.fingerprint);
      close();
    },
    openSsh: async ({ hours }) => {
      open(hours);
      return told();
    },
    closeSsh: async () => {
      close();
      return told();
    },
  };
  return { part, openUntil: () => openUntil };
}
