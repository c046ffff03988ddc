import type { components } from "./schema.gen";
import type { GenerationEvent } from "./types";

type Schemas = components["schemas"];

export type AnswerTrace = Schemas["AnswerTrace"];
export type Assistant = Schemas["Assistant"];
export type ChangeAssistant = Partial<Schemas["UpdateAssistant"]>;
export type ConversationScope = Schemas["ConversationScope"];
export type Folder = Schemas["Folder"];
export type KnowledgeFile = Schemas["KnowledgeFile"];
export type KnowledgePassage = Schemas["KnowledgePassage"];
export type KnowledgePassages = Schemas["KnowledgePassages"];
export type Memories = Schemas["Memories"];
export type Memory = Schemas["Memory"];
export type NewAssistant = Partial<Schemas["CreateAssistant"]>;
export type AnswerSources = Schemas["AnswerSources"];
export type Source = Schemas["Source"];
/** An assistant as it stands in the editor, and what was said. */
export type TryAssistant = Partial<Schemas["TryAssistant"]> &
  Pick<Schemas["TryAssistant"], "turns">;
export type UpdateFile = Partial<Schemas["UpdateKnowledgeFile"]>;

type Numbered = Extract<GenerationEvent, { type: "sources" }>;
type WithoutNumber<Event> = Event extends unknown ? Omit<Event, "sequence"> : never;

/** What a trial tells while it is answered: as a generation, with the text of its sources. */
export type TrialEvent =
  WithoutNumber<Exclude<GenerationEvent, Numbered>> | { type: "sources"; passages: Source[] };

export interface Upload {
  file: File;
  folder: string;
  visibility: KnowledgeFile["visibility"];
  onProgress: (share: number) => void;
}

/** Which passages of a document: from the place `first`, counted from 0, on. */
export interface PassagesFrom {
  first: number;
  limit: number;
}

/** Documents, assistants and memories. */
export interface LibraryApi {
  /** Without `folder` from all of them, with "" only what is in none. */
  listFiles(filter: { folder?: string; query?: string }): Promise<{ items: KnowledgeFile[] }>;
  addFile(upload: Upload): Promise<KnowledgeFile>;
  replaceFile(id: string, file: File): Promise<KnowledgeFile>;
  getFile(id: string): Promise<KnowledgeFile>;
  updateFile(id: string, body: UpdateFile): Promise<KnowledgeFile>;
  removeFile(id: string): Promise<void>;
  retryFile(id: string): Promise<KnowledgeFile>;
  listPassages(id: string, from: PassagesFrom): Promise<KnowledgePassages>;
  listFolders(): Promise<{ items: Folder[] }>;
  renameFolder(name: string, newName: string): Promise<{ items: Folder[] }>;
  /** Its documents go one folder up, or are removed for good. */
  deleteFolder(name: string, documents: "keep" | "remove"): Promise<void>;
  moveFiles(ids: string[], folder: string): Promise<{ items: Folder[] }>;
  /** Where the picture of a page is, and the document itself. */
  pageAddress(id: string, page: number): string;
  fileAddress(id: string): string;
  listSources(conversationId: string): Promise<{ items: AnswerSources[] }>;
  getTrace(messageId: string): Promise<AnswerTrace>;
  listAssistants(filter: { deleted: boolean }): Promise<{ items: Assistant[] }>;
  createAssistant(body: NewAssistant): Promise<Assistant>;
  updateAssistant(id: string, body: ChangeAssistant): Promise<Assistant>;
  duplicateAssistant(id: string, name: string): Promise<Assistant>;
  deleteAssistant(id: string): Promise<void>;
  restoreAssistant(id: string): Promise<Assistant>;
  /** Yields until `done` or `error`; nothing is kept. Throws ApiError when the box refuses. */
  streamTrial(body: TryAssistant, signal: AbortSignal): AsyncGenerator<TrialEvent>;
  getScope(conversationId: string): Promise<ConversationScope>;
  setScope(conversationId: string, body: ConversationScope): Promise<ConversationScope>;
  listMemories(): Promise<Memories>;
  enableMemories(enabled: boolean): Promise<void>;
  createMemory(content: string): Promise<Memory>;
  updateMemory(id: string, body: { content?: string; confirmed?: boolean }): Promise<Memory>;
  deleteMemory(id: string): Promise<void>;
}
