import type { LibraryApi } from "./library-types";
import type {
  AddRemoteModel,
  AlertChannel,
  Alerts,
  ApiKey,
  ApiKeyCreated,
  Box,
  ChangeAlerts,
  ChangeRemoteModel,
  Claimed,
  ContextGauge,
  Conversation,
  ConversationDetail,
  DriveBundle,
  GenerationEvent,
  Hardware,
  Health,
  HealthSeries,
  Invitation,
  InvitationLink,
  InvitationView,
  Issue,
  Language,
  Message,
  ModelCard,
  ModelList,
  NearbyBox,
  OnboardingModels,
  OnboardingState,
  OwnerSet,
  Page,
  PasswordStrength,
  PastUpdate,
  Person,
  Picture,
  Rating,
  RemoteModel,
  Role,
  Sent,
  Session,
  SessionItem,
  SessionWithRecovery,
  SpeedRecord,
  Ssh,
  SshHours,
  SshKey,
  Status,
  UpdateConversation,
  UpdateMe,
  UpdatePerson,
  Updates,
  UpdateSettings,
  VerifyResult,
  SupportReport,
} from "./types";

interface AccountsApi {
  getStatus(): Promise<Status>;
  getSession(): Promise<Session>;
  signIn(body: { name: string; password: string }): Promise<Session>;
  signOut(): Promise<void>;
  recover(body: {
    name: string;
    recovery_code: string;
    new_password: string;
  }): Promise<SessionWithRecovery>;
  listSessions(): Promise<Page<SessionItem>>;
  signOutEverywhere(): Promise<void>;
  endSession(id: string): Promise<void>;
  updateMe(body: UpdateMe): Promise<Person>;
  changePassword(body: { current_password: string; new_password: string }): Promise<void>;
  newRecoveryCode(body: { password: string }): Promise<{ recovery_code: string }>;
  checkPassword(body: { password: string; name?: string }): Promise<PasswordStrength>;
  listApiKeys(): Promise<Page<ApiKey>>;
  createApiKey(body: { name: string }): Promise<ApiKeyCreated>;
  revokeApiKey(id: string): Promise<void>;
}

interface PeopleApi {
  listPeople(): Promise<Page<Person>>;
  updatePerson(id: string, body: UpdatePerson): Promise<Person>;
  deletePerson(id: string): Promise<void>;
  listInvitations(): Promise<Page<Invitation>>;
  createInvitation(body: { role: Exclude<Role, "owner"> }): Promise<InvitationLink>;
  revokeInvitation(id: string): Promise<void>;
  readInvitation(token: string): Promise<InvitationView>;
  acceptInvitation(
    token: string,
    body: { name: string; password: string; language: Language },
  ): Promise<SessionWithRecovery>;
}

interface OnboardingApi {
  getOnboarding(): Promise<OnboardingState>;
  setOnboardingLanguage(body: { language: Language }): Promise<OnboardingState>;
  verifyClaimCode(body: { code: string }): Promise<OnboardingState>;
  setOnboardingOwner(body: { name: string; password: string }): Promise<OwnerSet>;
  confirmRecoverySaved(): Promise<OnboardingState>;
  setOnboardingBox(body: { name: string; time_zone: string }): Promise<OnboardingState>;
  listOnboardingModels(): Promise<OnboardingModels>;
  setOnboardingModel(body: { model_id: string; download: boolean }): Promise<OnboardingState>;
  setOnboardingPrivacy(body: {
    automatic_updates: boolean;
    update_hour: number;
  }): Promise<OnboardingState>;
  finishOnboarding(): Promise<Claimed>;
}

interface BoxApi {
  getBox(): Promise<Box>;
  updateBox(body: { name?: string; time_zone?: string }): Promise<Box>;
  getHardware(): Promise<Hardware>;
  getEngineSpeed(): Promise<SpeedRecord>;
  listNearbyBoxes(): Promise<Page<NearbyBox>>;
  getSsh(): Promise<Ssh>;
  addSshKey(body: { key: string }): Promise<SshKey>;
  removeSshKey(id: string): Promise<void>;
  openSsh(body: { hours: SshHours }): Promise<Ssh>;
  closeSsh(): Promise<Ssh>;
}

interface ModelsApi {
  listModels(): Promise<ModelList>;
  downloadModel(id: string): Promise<ModelCard>;
  pauseDownload(id: string): Promise<ModelCard>;
  resumeDownload(id: string): Promise<ModelCard>;
  cancelDownload(id: string): Promise<void>;
  verifyModel(id: string): Promise<VerifyResult>;
  removeModel(id: string): Promise<void>;
  setDefaultModel(body: { model_id: string }): Promise<ModelCard>;
  importModel(body: { path: string; title?: string }): Promise<ModelCard>;
  listRemoteModels(): Promise<{ items: RemoteModel[] }>;
  addRemoteModel(body: AddRemoteModel): Promise<RemoteModel>;
  changeRemoteModel(id: string, body: ChangeRemoteModel): Promise<RemoteModel>;
  checkRemoteModel(id: string): Promise<{ ok: boolean }>;
  removeRemoteModel(id: string): Promise<void>;
}

interface HealthApi {
  getBoxHealth(): Promise<Health>;
  getHealthHistory(period: HealthSeries["period"]): Promise<HealthSeries>;
  listPastIssues(): Promise<Page<Issue>>;
  getSupportReport(): Promise<SupportReport>;
  fixIssue(id: string): Promise<Health>;
  getAlerts(): Promise<Alerts>;
  changeAlerts(body: ChangeAlerts): Promise<Alerts>;
  testAlert(body: { channel: AlertChannel }): Promise<void>;
}

interface UpdatesApi {
  getUpdates(): Promise<Updates>;
  /** Yields what `getUpdates` tells, now and after every change, as long as the box is there. */
  streamUpdates(signal: AbortSignal): AsyncGenerator<Updates>;
  listUpdateHistory(): Promise<Page<PastUpdate>>;
  checkForUpdates(): Promise<Updates>;
  installUpdate(): Promise<Updates>;
  restartIntoUpdate(): Promise<Updates>;
  goBackToVersionBefore(): Promise<Updates>;
  postponeUpdates(body: { until: string | null }): Promise<Updates>;
  pinVersion(body: { version: string | null }): Promise<Updates>;
  changeUpdateSettings(body: UpdateSettings): Promise<Updates>;
  listDriveBundles(): Promise<Page<DriveBundle>>;
  installFromDrive(body: { name: string }): Promise<Updates>;
}

export interface ListConversations {
  query?: string;
  archived?: "exclude" | "include" | "only";
  cursor?: string;
}

export interface SendMessage {
  content: string;
  parent_id: string | null;
  client_id: string;
  model_id?: string;
}

interface ChatApi {
  listConversations(filter: ListConversations): Promise<Page<Conversation>>;
  createConversation(body: { model_id?: string }): Promise<ConversationDetail>;
  getConversation(id: string): Promise<ConversationDetail>;
  updateConversation(id: string, body: UpdateConversation): Promise<ConversationDetail>;
  deleteConversation(id: string): Promise<void>;
  restoreConversation(id: string): Promise<ConversationDetail>;
  exportConversation(id: string, format: "markdown" | "json"): Promise<Blob>;
  listMessages(conversationId: string): Promise<Message[]>;
  /** What the next message would meet, with `draft` as its text. */
  measureDraft(conversationId: string, draft: string): Promise<ContextGauge>;
  sendMessage(conversationId: string, body: SendMessage): Promise<Sent>;
  /** For the message that is then sent with `clientId`. */
  addPicture(conversationId: string, clientId: string, picture: Blob): Promise<Picture>;
  listPictures(conversationId: string): Promise<{ items: Picture[] }>;
  readPicture(id: string): Promise<Blob>;
  pictureAddress(id: string): string;
  regenerateMessage(messageId: string): Promise<{ answer: Message }>;
  rateMessage(messageId: string, rating: Rating): Promise<Message>;
  stopGeneration(generationId: string): Promise<void>;
  /**
   * Yields every event with a sequence above `after`, once, across lost connections, and ends
   * after `done` or `error`. Throws ApiError when the box refuses.
   */
  streamGeneration(
    generationId: string,
    after: number,
    signal: AbortSignal,
  ): AsyncIterable<GenerationEvent>;
}

/** Everything the pages ask of a box; `live` asks a real one, `mock` plays one in memory. */
export interface AlleracApi
  extends
    AccountsApi,
    PeopleApi,
    OnboardingApi,
    BoxApi,
    UpdatesApi,
    HealthApi,
    ModelsApi,
    ChatApi,
    LibraryApi {}
