import { readEvents } from "./event-stream";
import { accepted, call, command, PREFIX, query, reach } from "./http";
import type { KnowledgeFile, LibraryApi, TrialEvent, TryAssistant, Upload } from "./library-types";
import { ApiError } from "./problem";
import type { Page, Problem } from "./types";

const OCTETS = "application/octet-stream";
const file = (id: string): string => `/knowledge/files/${id}`;
const assistant = (id: string): string => `/assistants/${id}`;

function problemOf(text: string): Partial<Problem> {
  try {
    return (JSON.parse(text) as { error?: Partial<Problem> }).error ?? {};
  } catch {
    return {};
  }
}

/** Sends a file by the one way that tells how much of it has left. */
function send({ file: content, folder, visibility, onProgress }: Upload): Promise<KnowledgeFile> {
  const address = `/knowledge/files${query({ name: content.name, folder, visibility })}`;
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", PREFIX + address);
    request.setRequestHeader("Content-Type", OCTETS);
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    request.onerror = () => reject(ApiError.offline());
    request.onload = () => {
      const { status, responseText } = request;
      if (status === 201) resolve(JSON.parse(responseText) as KnowledgeFile);
      else if (status === 413) reject(new ApiError(413, { code: "payload_too_large" }));
      else reject(new ApiError(status, problemOf(responseText)));
    };
    request.send(content);
  });
}

async function listFiles(filter: Parameters<LibraryApi["listFiles"]>[0]) {
  const items: KnowledgeFile[] = [];
  let cursor: string | undefined;
  do {
    const address = `/knowledge/files${query({ ...filter, cursor, limit: "200" })}`;
    const folder = filter.folder === "" ? "&folder=" : "";
    const page = await call<Page<KnowledgeFile>>("GET", address + folder);
    items.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return { items };
}

async function* streamTrial(body: TryAssistant, signal: AbortSignal): AsyncGenerator<TrialEvent> {
  for await (const { event, data } of readEvents("/assistants/trial", {}, signal, body)) {
    yield { type: event, ...(data as object) } as TrialEvent;
    if (event === "done" || event === "error") return;
  }
  throw ApiError.offline();
}

export const libraryApi: LibraryApi = {
  listFiles,
  listFolders: () => call("GET", "/knowledge/folders"),
  renameFolder: (name, newName) =>
    call("PATCH", `/knowledge/folders${query({ name })}`, { name: newName }),
  deleteFolder: (name, documents) =>
    command("DELETE", `/knowledge/folders${query({ name, documents })}`),
  moveFiles: (file_ids, folder) => call("POST", "/knowledge/move", { file_ids, folder }),
  addFile: send,
  replaceFile: async (id, content) => {
    const init = { method: "PUT", headers: { "Content-Type": OCTETS }, body: content };
    const response = await reach(`${file(id)}/content${query({ name: content.name })}`, init);
    return (await (await accepted(response)).json()) as KnowledgeFile;
  },
  getFile: (id) => call("GET", file(id)),
  updateFile: (id, body) => call("PATCH", file(id), body),
  removeFile: (id) => command("DELETE", file(id)),
  retryFile: (id) => call("POST", `${file(id)}/retry`),
  listPassages: (id, { first, limit }) =>
    call("GET", `${file(id)}/passages${query({ first: `${first}`, limit: `${limit}` })}`),
  pageAddress: (id, page) => `${PREFIX}${file(id)}/pages/${page}`,
  fileAddress: (id) => `${PREFIX}${file(id)}/content`,
  listSources: (id) => call("GET", `/knowledge/conversations/${id}/sources`),
  getTrace: (id) => call("GET", `/knowledge/answers/${id}/trace`),
  listAssistants: ({ deleted }) => call("GET", `/assistants${query({ deleted: `${deleted}` })}`),
  createAssistant: (body) => call("POST", "/assistants", body),
  updateAssistant: (id, body) => call("PATCH", assistant(id), body),
  duplicateAssistant: (id, name) => call("POST", `${assistant(id)}/duplicate`, { name }),
  deleteAssistant: (id) => command("DELETE", assistant(id)),
  restoreAssistant: (id) => call("POST", `${assistant(id)}/restore`),
  streamTrial,
  getScope: (id) => call("GET", `/conversations/${id}/scope`),
  setScope: (id, body) => call("PUT", `/conversations/${id}/scope`, body),
  listMemories: () => call("GET", "/memories"),
  enableMemories: (enabled) => command("PUT", "/memories/enabled", { enabled }),
  createMemory: (content) => call("POST", "/memories", { content }),
  updateMemory: (id, body) => call("PATCH", `/memories/${id}`, body),
  deleteMemory: (id) => command("DELETE", `/memories/${id}`),
};
