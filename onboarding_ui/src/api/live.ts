import type { AlleracApi } from "./allerac-api";
import { readEvents } from "./event-stream";
import { streamGeneration } from "./generation-stream";
import { libraryApi } from "./library-live";
import { accepted, call, command, PREFIX, query, reach } from "./http";
import type { Message, Page, Picture, Updates } from "./types";

const conversation = (id: string): string => `/conversations/${id}`;
const model = (id: string): string => `/models/${encodeURIComponent(id)}`;

async function listMessages(conversationId: string): Promise<Message[]> {
  const messages: Message[] = [];
  let cursor: string | undefined;
  do {
    const page = await call<Page<Message>>(
      "GET",
      `${conversation(conversationId)}/messages${query({ cursor, limit: "500" })}`,
    );
    messages.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return messages;
}

async function* streamUpdates(signal: AbortSignal): AsyncGenerator<Updates> {
  for await (const { data } of readEvents("/updates/events", {}, signal)) yield data as Updates;
}

export const liveApi: AlleracApi = {
  getStatus: () => call("GET", "/status"),
  getSession: () => call("GET", "/session"),
  signIn: (body) => call("POST", "/session", body),
  signOut: () => command("DELETE", "/session"),
  recover: (body) => call("POST", "/session/recovery", body),
  listSessions: () => call("GET", "/sessions"),
  signOutEverywhere: () => command("DELETE", "/sessions"),
  endSession: (id) => command("DELETE", `/sessions/${id}`),
  updateMe: (body) => call("PATCH", "/me", body),
  changePassword: (body) => command("PUT", "/me/password", body),
  newRecoveryCode: (body) => call("POST", "/me/recovery-code", body),
  checkPassword: (body) => call("POST", "/password-strength", body),
  listApiKeys: () => call("GET", "/api-keys"),
  createApiKey: (body) => call("POST", "/api-keys", body),
  revokeApiKey: (id) => command("DELETE", `/api-keys/${id}`),

  listPeople: () => call("GET", "/people"),
  updatePerson: (id, body) => call("PATCH", `/people/${id}`, body),
  deletePerson: (id) => command("DELETE", `/people/${id}`),
  listInvitations: () => call("GET", "/invitations"),
  createInvitation: (body) => call("POST", "/invitations", body),
  revokeInvitation: (id) => command("DELETE", `/invitations/${id}`),
  readInvitation: (token) => call("GET", `/join/${encodeURIComponent(token)}`),
  acceptInvitation: (token, body) => call("POST", `/join/${encodeURIComponent(token)}`, body),

  getOnboarding: () => call("GET", "/onboarding"),
  setOnboardingLanguage: (body) => call("PUT", "/onboarding/language", body),
  verifyClaimCode: (body) => call("POST", "/onboarding/claim", body),
  setOnboardingOwner: (body) => call("PUT", "/onboarding/owner", body),
  confirmRecoverySaved: () => call("PUT", "/onboarding/recovery-saved"),
  setOnboardingBox: (body) => call("PUT", "/onboarding/box", body),
  listOnboardingModels: () => call("GET", "/onboarding/models"),
  setOnboardingModel: (body) => call("PUT", "/onboarding/model", body),
  setOnboardingPrivacy: (body) => call("PUT", "/onboarding/privacy", body),
  finishOnboarding: () => call("POST", "/onboarding/finish"),

  getBox: () => call("GET", "/box"),
  updateBox: (body) => call("PATCH", "/box", body),
  getHardware: () => call("GET", "/box/hardware"),
  getEngineSpeed: () => call("GET", "/engine/speed"),
  listNearbyBoxes: () => call("GET", "/box/nearby"),
  getSsh: () => call("GET", "/box/ssh"),
  addSshKey: (body) => call("POST", "/box/ssh/keys", body),
  removeSshKey: (id) => command("DELETE", `/box/ssh/keys/${id}`),
  openSsh: (body) => call("POST", "/box/ssh/open", body),
  closeSsh: () => call("POST", "/box/ssh/close"),

  getBoxHealth: () => call("GET", "/health"),
  getHealthHistory: (period) => call("GET", `/health/history?period=${period}`),
  listPastIssues: () => call("GET", "/health/issues"),
  getSupportReport: () => call("GET", "/health/support"),
  fixIssue: (id) => call("POST", `/health/issues/${id}/fix`),
  getAlerts: () => call("GET", "/health/alerts"),
  changeAlerts: (body) => call("PUT", "/health/alerts", body),
  testAlert: (body) => command("POST", "/health/alerts/test", body),

  getUpdates: () => call("GET", "/updates"),
  streamUpdates,
  listUpdateHistory: () => call("GET", "/updates/history"),
  checkForUpdates: () => call("POST", "/updates/check"),
  installUpdate: () => call("POST", "/updates/install"),
  restartIntoUpdate: () => call("POST", "/updates/restart"),
  goBackToVersionBefore: () => call("POST", "/updates/go-back"),
  postponeUpdates: (body) => call("POST", "/updates/postpone", body),
  pinVersion: (body) => call("POST", "/updates/pin", body),
  changeUpdateSettings: (body) => call("PATCH", "/updates/settings", body),
  listDriveBundles: () => call("GET", "/updates/usb"),
  installFromDrive: (body) => call("POST", "/updates/usb", body),

  listModels: () => call("GET", "/models"),
  downloadModel: (id) => call("POST", `${model(id)}/download`),
  pauseDownload: (id) => call("POST", `${model(id)}/download/pause`),
  resumeDownload: (id) => call("POST", `${model(id)}/download/resume`),
  cancelDownload: (id) => command("DELETE", `${model(id)}/download`),
  verifyModel: (id) => call("POST", `${model(id)}/verify`),
  removeModel: (id) => command("DELETE", model(id)),
  setDefaultModel: (body) => call("PUT", "/models/default", body),
  importModel: (body) => call("POST", "/models/import", body),
  listRemoteModels: () => call("GET", "/remote-models"),
  addRemoteModel: (body) => call("POST", "/remote-models", body),
  changeRemoteModel: (id, body) => call("PATCH", `/remote-models/${encodeURIComponent(id)}`, body),
  checkRemoteModel: (id) => call("POST", `/remote-models/${encodeURIComponent(id)}/check`),
  removeRemoteModel: (id) => command("DELETE", `/remote-models/${encodeURIComponent(id)}`),

  listConversations: ({ query: text, archived, cursor }) =>
    call("GET", `/conversations${query({ query: text, archived, cursor })}`),
  createConversation: (body) => call("POST", "/conversations", body),
  getConversation: (id) => call("GET", conversation(id)),
  updateConversation: (id, body) => call("PATCH", conversation(id), body),
  deleteConversation: (id) => command("DELETE", conversation(id)),
  restoreConversation: (id) => call("POST", `${conversation(id)}/restore`),
  exportConversation: async (id, format) => {
    const response = await reach(`${conversation(id)}/export${query({ format })}`, {});
    return (await accepted(response)).blob();
  },
  listMessages,
  measureDraft: (id, draft) => call("POST", `${conversation(id)}/context`, { draft }),
  sendMessage: (id, body) => call("POST", `${conversation(id)}/messages`, body),
  addPicture: async (id, clientId, picture) => {
    const headers = { "Content-Type": "application/octet-stream" };
    const init = { method: "POST", headers, body: picture };
    const response = await reach(`${conversation(id)}/pictures/${clientId}`, init);
    return (await (await accepted(response)).json()) as Picture;
  },
  listPictures: (id) => call("GET", `${conversation(id)}/pictures`),
  readPicture: async (id) => (await accepted(await reach(`/pictures/${id}`, {}))).blob(),
  pictureAddress: (id) => `${PREFIX}/pictures/${id}`,
  regenerateMessage: (id) => call("POST", `/messages/${id}/regenerate`),
  rateMessage: (id, rating) => call("PUT", `/messages/${id}/rating`, { rating }),
  stopGeneration: (id) => command("DELETE", `/generations/${id}`),
  streamGeneration,

  ...libraryApi,
};
