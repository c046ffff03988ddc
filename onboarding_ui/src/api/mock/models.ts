import type { AlleracApi } from "../allerac-api";
import { ApiError } from "../problem";
import type { ModelCard, ModelList } from "../types";
import { notFound, require, type Scenario } from "./scenario";

const GIGABYTE = 1_000_000_000;

const plain = {
  family: "Qwen",
  licence: "Apache-2.0",
  role: "chat",
  quantisation: "Q4_K_M",
  is_default: false,
  recommended: false,
  is_demo: false,
  download: null,
} as const;

const speed = (reading: number, writing: number, measured = false): ModelCard["speed"] => ({
  prefill_tokens_per_second: reading,
  decode_tokens_per_second: writing,
  words_per_second: Math.round(writing * 7.5) / 10,
  measured,
});

function catalogue(): ModelCard[] {
  return [
    {
      ...plain,
      id: "demo",
      title: "Demonstration",
      description: "Greets you and answers from a text that you paste. Nothing more.",
      family: "Allerac",
      quantisation: "F16",
      size_bytes: 4_800_000,
      context_length: 1024,
      fit: "good",
      fit_reason: "Uses almost no memory.",
      speed: speed(4000, 420, true),
      state: "installed",
      is_demo: true,
      is_default: true,
    },
    {
      ...plain,
      id: "qwen3-4b-instruct-2507-q4_k_m",
      title: "Qwen 3, 4 B",
      description: "Good at writing, explaining and summarising. Speaks many languages.",
      size_bytes: 2.5 * GIGABYTE,
      context_length: 32_768,
      fit: "good",
      fit_reason: "Fits with room to spare.",
      speed: speed(60, 9.3),
      state: "available",
      recommended: true,
    },
    {
      ...plain,
      id: "qwen3-1.7b-q4_k_m",
      title: "Qwen 3, 1.7 B",
      description: "Quick. Good for short questions and simple texts.",
      size_bytes: 1.1 * GIGABYTE,
      context_length: 32_768,
      fit: "good",
      fit_reason: "Fits with room to spare.",
      speed: speed(140, 20),
      state: "available",
    },
    {
      ...plain,
      id: "qwen3-14b-q4_k_m",
      title: "Qwen 3, 14 B",
      description: "The most careful of the three, and the slowest.",
      size_bytes: 9 * GIGABYTE,
      context_length: 32_768,
      fit: "too_large",
      fit_reason: "Needs 12 GB of memory; this machine has 8 GB.",
      speed: speed(18, 2.9),
      state: "available",
    },
  ];
}

function embeddingModel(): ModelCard {
  return {
    ...plain,
    id: "nomic-embed-text-v1.5-q8_0",
    title: "Nomic Embed 1.5",
    description: "Finds passages in English documents.",
    family: "Nomic",
    role: "embedding",
    quantisation: "Q8_0",
    size_bytes: 146_146_432,
    context_length: 2048,
    fit: "good",
    fit_reason: "Uses almost no memory.",
    speed: speed(900, 180),
    state: "available",
  };
}

type ModelsApi = Pick<
  AlleracApi,
  | "listModels"
  | "downloadModel"
  | "pauseDownload"
  | "resumeDownload"
  | "cancelDownload"
  | "verifyModel"
  | "removeModel"
  | "setDefaultModel"
  | "importModel"
>;

export interface MockModels extends ModelsApi {
  listing(): ModelList;
}

const BYTES_PER_SECOND = 42_000_000;

function advance(card: ModelCard, seconds: number): void {
  const download = card.download;
  if (card.state !== "downloading" || download?.state !== "running") return;
  download.received_bytes = Math.min(
    download.total_bytes,
    download.received_bytes + download.bytes_per_second * seconds,
  );
  download.seconds_left =
    (download.total_bytes - download.received_bytes) / download.bytes_per_second;
  if (download.received_bytes === download.total_bytes) {
    card.state = "installed";
    card.download = null;
  }
}

/** One download under way, one halted, one that ended for want of room. */
function downloads(cards: ModelCard[]): ModelCard[] {
  const under = (share: number, card: ModelCard): NonNullable<ModelCard["download"]> => ({
    state: "running",
    received_bytes: Math.round(card.size_bytes * share),
    total_bytes: card.size_bytes,
    bytes_per_second: 9_400_000,
    seconds_left: (card.size_bytes * (1 - share)) / 9_400_000,
    error: null,
  });
  return cards.map((card, place): ModelCard => {
    if (place === 1) return { ...card, state: "downloading", download: under(0.42, card) };
    if (place === 2) {
      const halted = { ...under(0.81, card), bytes_per_second: 0, seconds_left: null };
      return { ...card, state: "paused", download: { ...halted, state: "paused" } };
    }
    if (place !== 3) return card;
    const error = {
      code: "insufficient_disk",
      message: "There is not enough room for this model.",
      hint: "Remove a model that you do not use, or free some space.",
      fields: {},
    };
    const failed = { ...under(0, card), bytes_per_second: 0, seconds_left: null };
    return { ...card, state: "failed", download: { ...failed, state: "failed", error } };
  });
}

export function createMockModels(scenario: Scenario): MockModels {
  let cards = scenario.downloading ? downloads(catalogue()) : catalogue();
  if (scenario.secondModel) {
    cards = cards.map((card) => (card.recommended ? { ...card, state: "installed" } : card));
  }
  const embedding = embeddingModel();
  let lastLook = Date.now();
  const look = (): void => {
    const seconds = (Date.now() - lastLook) / 1000;
    lastLook = Date.now();
    [...cards, embedding].forEach((card) => advance(card, seconds));
  };
  const card = (id: string): ModelCard =>
    require([...cards, embedding].find((one) => one.id === id));
  const copy = (one: ModelCard): ModelCard => structuredClone(one);
  const start = (one: ModelCard): ModelCard => {
    look();
    one.state = "downloading";
    one.download ??= {
      state: "running",
      received_bytes: 0,
      total_bytes: one.size_bytes,
      bytes_per_second: BYTES_PER_SECOND,
      seconds_left: one.size_bytes / BYTES_PER_SECOND,
      error: null,
    };
    one.download.state = "running";
    return copy(one);
  };
  const list = (): ModelList => {
    look();
    const current = cards.find((one) => one.is_default);
    return {
      items: cards.map(copy),
      embedding: copy(embedding),
      default_model_id: current?.id ?? null,
      recommended_model_id: cards.find((one) => one.recommended)?.id ?? null,
      demo: current?.is_demo ?? false,
    };
  };
  return {
    listing: list,
    listModels: () => Promise.resolve(list()),
    downloadModel: async (id) => start(card(id)),
    resumeDownload: async (id) => start(card(id)),
    pauseDownload: async (id) => {
      look();
      const one = card(id);
      if (!one.download) throw notFound();
      one.state = "paused";
      one.download.state = "paused";
      return copy(one);
    },
    cancelDownload: async (id) => {
      const one = card(id);
      one.state = "available";
      one.download = null;
    },
    verifyModel: (id) => Promise.resolve({ ok: card(id).state === "installed", reason: "" }),
    removeModel: async (id) => {
      const one = card(id);
      if (one.is_default) {
        throw new ApiError(409, {
          code: "conflict",
          message: "This is the model that answers now.",
          hint: "Choose another one first.",
        });
      }
      one.state = "available";
    },
    setDefaultModel: async ({ model_id }) => {
      const chosen = card(model_id);
      cards.forEach((one) => (one.is_default = one === chosen));
      return copy(chosen);
    },
    importModel: async ({ path, title }) => {
      if (!path.endsWith(".gguf")) {
        throw new ApiError(422, {
          code: "model_damaged",
          message: "This file is not a model.",
          hint: "Choose a file that ends in .gguf.",
          fields: { path: "This file is not a model." },
        });
      }
      const imported: ModelCard = {
        ...copy(card("qwen3-1.7b-q4_k_m")),
        id: path,
        title: title ?? path.split("/").at(-1) ?? path,
        description: "",
        state: "installed",
      };
      cards = [...cards, imported];
      return copy(imported);
    },
  };
}
