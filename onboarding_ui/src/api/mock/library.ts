import { ApiError } from "../problem";
import type {
  Assistant,
  AnswerTrace,
  ConversationScope,
  KnowledgeFile,
  KnowledgePassage,
  LibraryApi,
  Memory,
  Source,
} from "../library-types";
import type { Sent } from "../types";
import { newId, now, pause, require, type Scenario } from "./scenario";
import { createMockTrial } from "./trial";

/** One white pixel: the mock draws no pages. */
const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEANl9ngAAAAABJRU5ErkJggg==";

const WHEN = "2026-11-02T18:20:00.000Z";

function fileOf(id: string, change: Partial<KnowledgeFile>): KnowledgeFile {
  const size = { size_bytes: 412_000, pages: 3, passages: 9, done: 0, total: 0 };
  const kept = {
    folder: "",
    kind: "pdf",
    visibility: "private",
    mine: true,
    watched: false,
  } as const;
  const rest = { state: "ready", why: null, version: 1, used_by: 0 } as const;
  const times = { created_at: WHEN, updated_at: WHEN };
  return { id, name: "House rules.pdf", ...size, ...kept, ...rest, ...times, ...change };
}

const LOCKED = {
  code: "encrypted",
  message: "This document is locked with a password.",
  hint: "Save a copy without a password and add that one.",
};

const PAGES = [
  "The bins are emptied every Tuesday morning before seven o'clock.",
  "The boiler is serviced by Miller Heating every year in March. The boiler code is 4711.",
  "The wifi password is blue-otter-42 and is changed on the first of May.",
];

const passages = (file: KnowledgeFile): KnowledgePassage[] =>
  PAGES.map((text, position) => ({
    number: position + 1,
    file_id: file.id,
    file_name: file.name,
    kind: "pdf",
    position,
    heading: "",
    first_page: position + 1,
    last_page: position + 1,
    text,
  }));

function source(file: KnowledgeFile): Source {
  const place = { heading: "", first_page: 2, last_page: 2, text: PAGES[1] ?? "" };
  const name = { file_id: file.id, file_name: file.name, kind: "pdf" };
  return { number: 1, passage: 2, position: 1, ...name, ...place };
}

function trace(file: KnowledgeFile): AnswerTrace {
  const one = { file_id: file.id, file_name: file.name, heading: "", coverage: 0.5 };
  const considered = [
    {
      ...one,
      number: 2,
      first_page: 2,
      verdict: "used",
      vector_rank: 1,
      word_rank: 1,
      similarity: 0.86,
    },
    {
      ...one,
      number: 3,
      first_page: 3,
      verdict: "unrelated",
      vector_rank: 2,
      word_rank: null,
      similarity: 0.55,
    },
  ] as const;
  const words = ["boiler", "code"];
  const times = { embed_seconds: 0.01, search_seconds: 0.02 };
  return {
    trace: {
      question: words.join(" "),
      words,
      by_meaning: true,
      considered: [...considered],
      ...times,
    },
    seconds: 0.03,
    budget_tokens: 800,
  };
}

const LONG_STARTER =
  "When is the rubbish collected this week, and which of the bins has to stand at the street?";

function assistantOf(change: Partial<Assistant>): Assistant {
  const texts = { name: "Household helper", description: "Knows the house.", instructions: "" };
  const settings = { model_id: null, temperature: null, max_tokens: null, uses_knowledge: true };
  const kept = { avatar: "house", visibility: "private", mine: true } as const;
  const lists = {
    starters: ["Who repairs the boiler?", LONG_STARTER],
    file_ids: [],
    is_narrowed: false,
  };
  const times = { created_at: WHEN, updated_at: WHEN };
  return { id: newId("assistant"), ...texts, ...settings, ...kept, ...lists, ...times, ...change };
}

function memoryOf(change: Partial<Memory>): Memory {
  const origin = { conversation_id: null, conversation_title: null, message_id: null };
  const times = { created_at: WHEN, updated_at: WHEN };
  return { id: newId("memory"), content: "", state: "kept", ...origin, ...times, ...change };
}

/** Lets a new document go through its states as a box does. */
async function takeIn(file: KnowledgeFile, scenario: Scenario): Promise<void> {
  const tick = scenario.wordMilliseconds * 8;
  for (const [state, total] of [
    ["processing", 3],
    ["indexing", 9],
  ] as const) {
    for (let done = 1; done <= total; done += 1) {
      Object.assign(file, { state, done, total });
      await pause(tick);
    }
  }
  Object.assign(file, { state: "ready", done: 0, total: 0, pages: 3, passages: 9 });
}

const LONG_FOLDER = "Insurances and contracts of the whole household since we moved in here";

/** Folders are what the documents say; as on the box, one without documents is none. */
function foldersOf(files: KnowledgeFile[]): Partial<LibraryApi> {
  const isIn = (name: string) => (file: KnowledgeFile) =>
    file.folder === name || file.folder.startsWith(`${name}/`);
  const names = (): string[] => [...new Set(files.map(({ folder }) => folder))].filter(Boolean);
  const listed = () => ({
    items: names()
      .sort()
      .map((name) => {
        const all = files.filter(({ folder }) => folder === name);
        return { name, documents: all.length, own: all.filter(({ mine }) => mine).length };
      }),
  });
  const rename = (name: string, next: string): void =>
    files.filter(isIn(name)).forEach((file) => {
      file.folder = (next + file.folder.slice(name.length)).replace(/^\//, "");
    });
  return {
    listFolders: () => Promise.resolve(listed()),
    renameFolder: (name, next) => {
      if (names().includes(next)) {
        const message = "There is a folder of this name already.";
        return Promise.reject(new ApiError(409, { code: "conflict", message }));
      }
      rename(name, next);
      return Promise.resolve(listed());
    },
    deleteFolder: (name, documents) => {
      if (documents === "keep") rename(name, name.split("/").slice(0, -1).join("/"));
      else files.filter(isIn(name)).forEach((file) => files.splice(files.indexOf(file), 1));
      return Promise.resolve();
    },
    moveFiles: (ids, folder) => {
      files.filter(({ id }) => ids.includes(id)).forEach((file) => (file.folder = folder));
      return Promise.resolve(listed());
    },
  };
}

function createFiles(scenario: Scenario) {
  const files: KnowledgeFile[] = scenario.empty
    ? []
    : [
        fileOf("file-1", {}),
        fileOf("file-2", {
          name: "Insurance.pdf",
          state: "indexing",
          done: 12,
          total: 40,
          passages: 0,
        }),
        fileOf("file-3", {
          name: "Contract.pdf",
          state: "failed",
          why: LOCKED,
          pages: null,
          passages: 0,
        }),
        fileOf("file-4", {
          name: "Phone numbers.xlsx",
          kind: "xlsx",
          visibility: "household",
          mine: false,
        }),
        fileOf("file-5", { name: "Tax return.pdf", folder: "Taxes" }),
        fileOf("file-6", { name: "Receipts.pdf", folder: "Taxes/2025" }),
        fileOf("file-7", { name: "Lease.pdf", folder: LONG_FOLDER }),
      ];
  const find = (id: string): KnowledgeFile => require(files.find((file) => file.id === id));
  const gone = (id: string): void => void files.splice(files.indexOf(find(id)), 1);
  const first = (): KnowledgeFile => files[0] ?? fileOf("file-1", {});
  return { files, find, gone, first };
}

function documents(scenario: Scenario) {
  const { files, find, gone, first } = createFiles(scenario);
  const part: Partial<LibraryApi> = {
    ...foldersOf(files),
    listFiles: ({ folder, query = "" }) =>
      Promise.resolve({
        items: files
          .filter((file) => folder === undefined || file.folder === folder)
          .filter(({ name }) => name.toLowerCase().includes(query.toLowerCase()))
          .map((file) => ({ ...file })),
      }),
    addFile: ({ file, folder, visibility, onProgress }) => {
      onProgress(1);
      if (files.some(({ name }) => name === file.name)) {
        const message = "You have this document already.";
        return Promise.reject(new ApiError(409, { code: "conflict", message }));
      }
      const state = "processing" as const;
      const facts = { name: file.name, size_bytes: file.size, pages: null, passages: 0 };
      const made = fileOf(newId("file"), { ...facts, folder, visibility, state });
      files.unshift(made);
      void takeIn(made, scenario);
      return Promise.resolve({ ...made });
    },
    replaceFile: (id, { name }) => Promise.resolve(Object.assign(find(id), { name, version: 2 })),
    getFile: (id) => Promise.resolve(find(id)),
    updateFile: (id, body) => Promise.resolve(Object.assign(find(id), body)),
    removeFile: (id) => {
      gone(id);
      return Promise.resolve();
    },
    retryFile: (id) => {
      void takeIn(Object.assign(find(id), { why: null }), scenario);
      return Promise.resolve(find(id));
    },
    listPassages: (id, { first, limit }) => {
      const all = passages(find(id));
      const next = first + limit;
      const next_first = next < all.length ? next : null;
      return Promise.resolve({ items: all.slice(first, next), next_first });
    },
    pageAddress: () => PIXEL,
    fileAddress: () => PIXEL,
    getTrace: () => Promise.resolve(trace(first())),
  };
  return { part, first };
}

function assistantsOf(scenario: Scenario): Partial<LibraryApi> {
  const all = scenario.empty ? [] : [assistantOf({})];
  const deleted: Assistant[] = [];
  const scopes = new Map<string, ConversationScope>();
  const find = (id: string): Assistant => require(all.find((one) => one.id === id));
  const move = (from: Assistant[], to: Assistant[], id: string): Assistant => {
    const one = require(from.find((each) => each.id === id));
    from.splice(from.indexOf(one), 1);
    to.push(one);
    return one;
  };
  const add = (change: Partial<Assistant>): Promise<Assistant> => {
    const made = assistantOf(change);
    all.push(made);
    return Promise.resolve({ ...made });
  };
  return {
    listAssistants: (filter) => Promise.resolve({ items: [...(filter.deleted ? deleted : all)] }),
    createAssistant: ({ name, description = "", starters = [] }) =>
      add({ name: name ?? "Assistant", description, starters }),
    updateAssistant: (id, body) => Promise.resolve(Object.assign(find(id), body)),
    duplicateAssistant: (id, name) => add({ ...find(id), id: newId("assistant"), name }),
    deleteAssistant: (id) => Promise.resolve(void move(all, deleted, id)),
    restoreAssistant: (id) => Promise.resolve(move(deleted, all, id)),
    getScope: (id) =>
      Promise.resolve(
        structuredClone(scopes.get(id)) ?? {
          assistant_id: null,
          uses_knowledge: true,
          folder: null,
        },
      ),
    setScope: (id, body) => {
      scopes.set(id, body);
      return Promise.resolve(body);
    },
  };
}

/** As on the box: what somebody says of themselves is proposed, not kept. */
function proposalIn({ message, answer }: Sent): Memory | null {
  const fact = /^(my .+)[.!]$/i.exec(message.content)?.[1];
  if (fact === undefined) return null;
  const { conversation_id, id: message_id } = answer;
  return memoryOf({ content: fact, state: "proposed", conversation_id, message_id });
}

function memoriesOf(scenario: Scenario) {
  let enabled = true;
  const items = scenario.empty
    ? []
    : [
        memoryOf({ content: "I am allergic to nuts", state: "proposed" }),
        memoryOf({ content: "The spare key is with Jonas" }),
      ];
  const find = (id: string): Memory => require(items.find((one) => one.id === id));
  const hear = (sent: Sent): void => {
    const proposal = proposalIn(sent);
    if (proposal) items.unshift(proposal);
  };
  const part: Partial<LibraryApi> = {
    listMemories: () => Promise.resolve({ enabled, items: items.map((one) => ({ ...one })) }),
    enableMemories: (next) => {
      enabled = next;
      return Promise.resolve();
    },
    createMemory: (content) => {
      const made = memoryOf({ content, created_at: now() });
      items.unshift(made);
      return Promise.resolve(made);
    },
    updateMemory: (id, { content, confirmed }) => {
      const change = { ...(content ? { content } : {}), ...(confirmed ? { state: "kept" } : {}) };
      return Promise.resolve(Object.assign(find(id), change));
    },
    deleteMemory: (id) => Promise.resolve(void items.splice(items.indexOf(find(id)), 1)),
  };
  return { part, hear };
}

/**
 * `answersOf` are the ids of a conversation's answers, for which the mock always finds one source;
 * `hear` is to be told of every message that is sent.
 */
export function createMockLibrary(
  scenario: Scenario,
  answersOf: (conversationId: string) => Promise<string[]>,
): { library: LibraryApi; hear: (sent: Sent) => void } {
  const { part, first } = documents(scenario);
  const memories = memoriesOf(scenario);
  const sources: Partial<LibraryApi> = {
    listSources: async (id) => ({
      items: (await answersOf(id)).map((message_id) => ({
        message_id,
        sources: [source(first())],
      })),
    }),
  };
  const streamTrial = createMockTrial(scenario, () => source(first()));
  const theirs = { ...assistantsOf(scenario), streamTrial };
  const library = { ...part, ...theirs, ...memories.part, ...sources };
  return { library: library as LibraryApi, hear: memories.hear };
}
