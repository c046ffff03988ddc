import type { AlleracApi } from "../allerac-api";
import { ApiError } from "../problem";
import type { Box, Hardware, OnboardingState, SpeedRecord, Step } from "../types";
import { type MockSession, requireStrong } from "./accounts";
import type { MockModels } from "./models";
import type { MockSsh } from "./ssh";
import { drawQr, MOCK_CLAIM_CODE, MOCK_RECOVERY_CODE, now, owner, type Scenario } from "./scenario";

const STEPS: Step[] = ["language", "claim", "owner", "box", "model", "privacy", "ready"];

const speed: SpeedRecord = {
  calibrations: [
    {
      model_id: "qwen2.5-1.5b-instruct-q4_k_m",
      version: "0.1.0",
      measured_at: "2026-05-01T09:00:00.000Z",
      prefill_tokens_per_second: 41,
      decode_tokens_per_second: 14,
    },
  ],
  honesty: { estimates: 38, median_error: 0.12 },
};

export const hardware: Hardware = {
  summary: "Intel N100, 8 GB of memory",
  cpu: "Intel(R) N100",
  cores_performance: 0,
  cores_efficient: 4,
  threads: 4,
  memory_bytes: 8_200_000_000,
  memory_channels: 1,
  flags: ["avx2", "avx_vnni"],
  profile: {
    id: "n100",
    product: "Allerac Mini",
    exact: true,
    reason: "The processor is an N100.",
  },
};

const hostname = (name: string): string => {
  const plain = name
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase();
  return `${plain.replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "allerac"}.local`;
};

function boxOf(name: string, timeZone: string): Box {
  const url = `http://${hostname(name)}/`;
  return {
    id: "7k3q",
    serial: "ALR-N100-000731",
    name,
    hostname: hostname(name),
    names: [hostname(name), "allerac-7k3q.local"],
    name_conflict: null,
    network_check: {
      ok: true,
      reason: "names_lead_here",
      message: "All names lead to this box.",
      checked_at: new Date(Date.now() - 20_000).toISOString(),
    },
    addresses: [{ ip: "192.168.1.42", interface: "eth0", url: "http://192.168.1.42/" }],
    url,
    qr_svg: drawQr(url),
    port: 80,
    certificate: {
      fingerprint: Array.from({ length: 32 }, (_, place) =>
        (place * 7).toString(16).padStart(2, "0").toUpperCase(),
      ).join(":"),
      expires_at: new Date(Date.now() + 396 * 86_400_000).toISOString(),
    },
    ssh_open_until: null,
    version: "0.1.0",
    time_zone: timeZone,
    claimed_at: "2026-09-01T18:00:00.000Z",
    started_at: new Date(Date.now() - 93_600_000).toISOString(),
    engine: {
      state: "ready",
      model_id: "demo",
      context_length: 1024,
      active: 0,
      waiting: 0,
      restarts: 0,
      speed: { prefill_tokens_per_second: 4000, decode_tokens_per_second: 420 },
      last_error: null,
    },
    storage: { total_bytes: 256_000_000_000, free_bytes: 198_000_000_000 },
    memory: {
      total_bytes: 8_200_000_000,
      available_bytes: 6_900_000_000,
      runtime_bytes: 96_000_000,
    },
  };
}

type BoxApi = Pick<
  AlleracApi,
  | "getStatus"
  | "getBox"
  | "updateBox"
  | "getHardware"
  | "getEngineSpeed"
  | "listNearbyBoxes"
  | "getOnboarding"
  | "setOnboardingLanguage"
  | "verifyClaimCode"
  | "setOnboardingOwner"
  | "confirmRecoverySaved"
  | "setOnboardingBox"
  | "listOnboardingModels"
  | "setOnboardingModel"
  | "setOnboardingPrivacy"
  | "finishOnboarding"
>;

const firstState = (language: OnboardingState["language"]): OnboardingState => ({
  step: "language",
  steps: STEPS,
  language,
  code_verified: false,
  owner_name: null,
  recovery_saved: false,
  box_name: null,
  time_zone: null,
  hostname_preview: null,
  model_id: null,
  download_model: false,
  automatic_updates: true,
  update_hour: 3,
});

function wrongCode(triesLeft: number): ApiError {
  if (triesLeft <= 0) {
    return new ApiError(
      429,
      { code: "too_many_attempts", message: "Too many wrong codes.", hint: "Wait a little." },
      60,
    );
  }
  return new ApiError(401, {
    code: "wrong_credentials",
    message: "This is not the code of this box.",
    hint: "It is on the label at the back.",
    fields: { tries_left: String(triesLeft) },
  });
}

export function createMockBox(
  scenario: Scenario,
  models: MockModels,
  session: MockSession,
  ssh: MockSsh,
): BoxApi {
  let claimed = scenario.claimed;
  let state = firstState(scenario.language);
  let box: Box = boxOf("Kitchen", "Europe/Lisbon");
  if (scenario.nameConflict) {
    box.name_conflict =
      "Another machine here is called kitchen.local; this box is kitchen-2.local.";
  }
  let triesLeft = 5;
  const change = async (patch: Partial<OnboardingState>): Promise<OnboardingState> => {
    if (claimed) throw new ApiError(410, { code: "gone", message: "This box is claimed." });
    state = { ...state, ...patch };
    return state;
  };
  return {
    getStatus: async () => ({
      claimed,
      name: claimed ? box.name : "Allerac",
      language: scenario.language,
      languages: ["en", "de"],
    }),
    getBox: async () => ({ ...box, ssh_open_until: ssh.openUntil() }),
    updateBox: async (body) =>
      (box = { ...box, ...boxOf(body.name ?? box.name, body.time_zone ?? box.time_zone) }),
    getHardware: async () => hardware,
    getEngineSpeed: async () => speed,
    listNearbyBoxes: async () => ({ items: [] }),
    getOnboarding: () => change({}),
    setOnboardingLanguage: ({ language }) =>
      change({ language, step: state.code_verified ? state.step : "claim" }),
    verifyClaimCode: async ({ code }) => {
      if (code.toUpperCase() !== MOCK_CLAIM_CODE) throw wrongCode((triesLeft -= 1));
      return change({ code_verified: true, step: "owner" });
    },
    setOnboardingOwner: async ({ name, password }) => {
      requireStrong(password, name);
      return {
        state: await change({ owner_name: name, recovery_saved: false }),
        recovery_code: MOCK_RECOVERY_CODE,
      };
    },
    confirmRecoverySaved: () => change({ recovery_saved: true, step: "box" }),
    setOnboardingBox: ({ name, time_zone }) =>
      change({ box_name: name, time_zone, hostname_preview: hostname(name), step: "model" }),
    listOnboardingModels: async () => {
      const { items, embedding } = models.listing();
      return { items, embedding, hardware };
    },
    setOnboardingModel: ({ model_id, download }) =>
      change({ model_id, download_model: download, step: "privacy" }),
    setOnboardingPrivacy: (body) => change({ ...body, step: "ready" }),
    finishOnboarding: async () => {
      if (scenario.lostClaim) {
        throw new ApiError(410, { code: "gone", message: "This box already has an owner." });
      }
      await change({});
      if (state.model_id && state.download_model) {
        await models.downloadModel(state.model_id);
        const { embedding } = models.listing();
        if (embedding) await models.downloadModel(embedding.id);
      }
      claimed = true;
      box = { ...boxOf(state.box_name ?? "Kitchen", state.time_zone ?? "UTC"), claimed_at: now() };
      const name = state.owner_name ?? owner.name;
      session.person = { ...owner, name, language: state.language, created_at: now() };
      return { person: session.person, expires_at: null, url: box.url, qr_svg: box.qr_svg };
    },
  };
}
