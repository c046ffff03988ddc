import type { components } from "./schema.gen";

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
export type UpdateFile = Partial<Schemas["UpdateKnowledgeFile"]>;

export interface Upload {
  file: File;
  folder: string;
  visibility: KnowledgeFile["visibility"];
  onProgress: (share: number) => void;
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
  listPassages(id: string, first: number): Promise<KnowledgePassages>;
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
  getScope(conversationId: string): Promise<ConversationScope>;
  setScope(conversationId: string, body: ConversationScope): Promise<ConversationScope>;
  listMemories(): Promise<Memories>;
  enableMemories(enabled: boolean): Promise<void>;
  createMemory(content: string): Promise<Memory>;
  updateMemory(id: string, body: { content?: string; confirmed?: boolean }): Promise<Memory>;
  deleteMemory(id: string): Promise<void>;
}
