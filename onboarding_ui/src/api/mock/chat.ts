import type { AlleracApi, SendMessage } from "../allerac-api";
import { ApiError } from "../problem";
import type { ContextGauge, Conversation, ConversationDetail, Message } from "../types";
import { createMockGenerations } from "./generations";
import { newId, now, require, type Scenario } from "./scenario";

type ChatApi = Pick<
  AlleracApi,
  | "listConversations"
  | "createConversation"
  | "getConversation"
  | "updateConversation"
  | "deleteConversation"
  | "restoreConversation"
  | "exportConversation"
  | "listMessages"
  | "measureDraft"
  | "sendMessage"
  | "regenerateMessage"
  | "rateMessage"
  | "stopGeneration"
  | "streamGeneration"
>;

interface Stored {
  detail: ConversationDetail;
  messages: Message[];
  deleted: boolean;
}

const MAX_CHARACTERS = 1_000_000;
const HOUR_MS = 3_600_000;
const PAGE_ITEMS = 20;

function conversation(title: string | null, hoursAgo = 0, pinned = false): Stored {
  const at = new Date(Date.now() - hoursAgo * HOUR_MS).toISOString();
  return {
    deleted: false,
    messages: [],
    detail: {
      id: newId("conversation"),
      title,
      pinned,
      archived: false,
      model_id: null,
      created_at: at,
      updated_at: at,
      snippet: null,
      leaf_id: null,
      context_from_id: null,
      context: {
        used_tokens: 0,
        draft_tokens: 0,
        limit_tokens: 1024,
        is_estimate: false,
        fits: true,
        summarised_messages: 0,
        summarised_until_id: null,
        left_out_messages: 0,
        to_summarise_messages: 0,
      },
    },
  };
}

function message(
  stored: Stored,
  role: Message["role"],
  content: string,
  parent: string | null,
): Message {
  const created: Message = {
    id: newId("message"),
    conversation_id: stored.detail.id,
    parent_id: parent,
    role,
    content,
    status: role === "user" ? "complete" : "streaming",
    model_id: role === "user" ? null : "demo",
    error: null,
    usage: null,
    rating: null,
    sequence: 0,
    generation_id: null,
    created_at: now(),
  };
  stored.messages.push(created);
  stored.detail.leaf_id = created.id;
  stored.detail.updated_at = created.created_at;
  stored.detail.context.used_tokens += Math.ceil(content.length / 4) + 60;
  return created;
}

/** A talk so long that its beginning is read as a summary. */
function longTalk(): Stored {
  const talk = conversation("A beehive on the roof", 49);
  const said: [string, string][] = [
    [
      "May I keep bees on a flat roof?",
      "Yes, where the roof carries **90 kg** and nobody is stung.",
    ],
    ["How much sun do they need?", "Sun until noon, and shelter from the wind."],
    ["And how much honey is that?", "About 20 kg in a good year, from one hive."],
  ];
  let parent: Message | null = null;
  for (const [question, reply] of said) {
    parent = message(talk, "user", question, parent?.id ?? null);
    parent = message(talk, "assistant", reply, parent.id);
    parent.status = "complete";
  }
  const [first, until] = [require(talk.messages[0]), require(talk.messages[3])];
  until.summary = {
    content: "A hive on the flat roof: it must carry **90 kg**; sun until noon, out of the wind.",
    message_count: 4,
    from_id: first.id,
    model_id: "demo",
    created_at: until.created_at,
  };
  talk.detail.updated_at = talk.detail.created_at;
  Object.assign(talk.detail.context, { summarised_messages: 4, summarised_until_id: until.id });
  return talk;
}

function measured({ detail, messages }: Stored, draft: string): ContextGauge {
  const { context } = detail;
  const draftTokens = Math.ceil(draft.length / 4);
  const isFull = context.used_tokens + draftTokens > context.limit_tokens;
  return {
    ...context,
    draft_tokens: draftTokens,
    fits: draftTokens < context.limit_tokens,
    left_out_messages: isFull ? messages.length : 0,
  };
}

function seed(): Stored[] {
  const bread = conversation("A loaf for a slow morning", 3);
  const question = message(bread, "user", "How long should dough rest in the fridge?", null);
  const answer = message(
    bread,
    "assistant",
    "Between **12 and 18 hours**. Colder is slower, and slower tastes better.",
    question.id,
  );
  answer.status = "complete";
  bread.detail.updated_at = bread.detail.created_at;
  return [
    conversation("Letter to the landlord", 70, true),
    bread,
    conversation("Words for a birthday card", 5),
    conversation("What the router's lights mean", 28),
    longTalk(),
    conversation("Packing list for Sintra", 96),
  ];
}

function found(stored: Stored, query: string): Conversation | null {
  if (!query) return { ...stored.detail, snippet: null };
  const texts = [stored.detail.title ?? "", ...stored.messages.map((one) => one.content)];
  const text = texts.find((one) => one.toLowerCase().includes(query.toLowerCase()));
  if (text === undefined) return meant(stored, query);
  const before = text.slice(0, text.toLowerCase().indexOf(query.toLowerCase()));
  const start = Array.from(before).length;
  const end = start + Array.from(query).length;
  return { ...stored.detail, snippet: { text, marks: [[start, end]], by_meaning: false } };
}

/** A conversation about bread is what somebody means who looks for baking. */
function meant(stored: Stored, query: string): Conversation | null {
  const text = stored.messages.map((one) => one.content).find((one) => one.includes("dough"));
  if (text === undefined || query.toLowerCase() !== "baking") return null;
  return { ...stored.detail, snippet: { text, marks: [], by_meaning: true } };
}

function refuseLong(body: SendMessage): void {
  if (body.content.length > MAX_CHARACTERS) {
    throw new ApiError(413, { code: "payload_too_large", message: "This is too long." });
  }
}

export function createMockChat(scenario: Scenario): ChatApi {
  const all = scenario.empty ? [] : seed();
  const generations = createMockGenerations(scenario);
  const stored = (id: string): Stored => require(all.find((one) => one.detail.id === id));
  const owner = (id: string): Stored =>
    require(all.find((one) => one.messages.some((candidate) => candidate.id === id)));
  const copy = structuredClone;
  const answerTo = (one: Stored, question: Message): Message => {
    const answer = message(one, "assistant", "", question.id);
    generations.start(answer, question.content);
    return answer;
  };
  return {
    listConversations: async ({ query = "", archived = "exclude", cursor = "0" }) => {
      const items = all
        .filter((one) => !one.deleted)
        .filter(({ detail }) => archived === "include" || detail.archived === (archived === "only"))
        .flatMap((one) => found(one, query) ?? [])
        .sort((a, b) => b.updated_at.localeCompare(a.updated_at));
      const end = Number(cursor) + PAGE_ITEMS;
      const next_cursor = items.length > end ? String(end) : null;
      return { items: items.slice(Number(cursor), end), next_cursor };
    },
    createConversation: async () => {
      const created = conversation(null);
      all.push(created);
      return copy(created.detail);
    },
    getConversation: async (id) => copy(stored(id).detail),
    updateConversation: async (id, body) => {
      const { detail } = stored(id);
      Object.assign(detail, body);
      return copy(detail);
    },
    deleteConversation: async (id) => void (stored(id).deleted = true),
    restoreConversation: async (id) => {
      stored(id).deleted = false;
      return copy(stored(id).detail);
    },
    exportConversation: async (id, format) => {
      const text =
        format === "json"
          ? JSON.stringify(stored(id), null, 2)
          : stored(id)
              .messages.map((one) => one.content)
              .join("\n\n");
      return new Blob([text], { type: "text/plain" });
    },
    listMessages: async (id) => copy(stored(id).messages),
    measureDraft: async (id, draft) => measured(stored(id), draft),
    sendMessage: async (id, body) => {
      refuseLong(body);
      const one = stored(id);
      const sent = message(one, "user", body.content, body.parent_id);
      one.detail.title ??= body.content.slice(0, 48);
      return copy({ message: sent, answer: answerTo(one, sent) });
    },
    regenerateMessage: async (id) => {
      const one = owner(id);
      const previous = require(one.messages.find((candidate) => candidate.id === id));
      const question = require(
        one.messages.find((candidate) => candidate.id === previous.parent_id),
      );
      return copy({ answer: answerTo(one, question) });
    },
    rateMessage: async (id, rating) => {
      const rated = require(owner(id).messages.find((one) => one.id === id));
      rated.rating = rating;
      return copy(rated);
    },
    stopGeneration: async (id) => generations.stop(id),
    streamGeneration: (id, after, signal) => generations.stream(id, after, signal),
  };
}
