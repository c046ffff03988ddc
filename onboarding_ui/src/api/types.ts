import type { components } from "./schema.gen";

type Schemas = components["schemas"];

export type Alerts = Schemas["Alerts"];
export type ChangeAlerts = Schemas["ChangeAlerts"];
export type AlertChannel = Schemas["TryAlert"]["channel"];
export type Health = Schemas["Health"];
export type HealthSeries = Schemas["HealthSeries"];
export type SupportReport = Schemas["SupportReport"];
export type Issue = Schemas["Issue"];
export type Ssh = Schemas["Ssh"];
export type SshEvent = Schemas["SshEvent"];
export type SshHours = Schemas["OpenSsh"]["hours"];
export type SshKey = Schemas["SshKey"];
export type Address = Schemas["Address"];
export type ApiKey = Schemas["ApiKeyItem"];
export type ApiKeyCreated = Schemas["ApiKeyCreated"];
export type Box = Schemas["Box"];
export type Claimed = Schemas["Claimed"];
export type ContextGauge = Schemas["ContextGauge"];
export type Conversation = Schemas["ConversationItem"];
export type ConversationDetail = Schemas["ConversationDetail"];
export type DriveBundle = Schemas["DriveBundle"];
export type Download = Schemas["DownloadProgress"];
export type Hardware = Schemas["Hardware"];
export type Invitation = Schemas["InvitationItem"];
export type InvitationLink = Schemas["InvitationLink"];
export type InvitationView = Schemas["InvitationView"];
export type Language = Schemas["Status"]["language"];
export type Message = Schemas["Message"];
export type ModelCard = Schemas["ModelCard"];
export type ModelList = Schemas["ModelList"];
export type AddRemoteModel = Schemas["AddRemoteModel"];
export type ChangeRemoteModel = Schemas["ChangeRemoteModel"];
export type RemoteModel = Schemas["RemoteModel"];
export type NearbyBox = Schemas["NearbyBox"];
export type OnboardingModels = Schemas["OnboardingModels"];
export type OnboardingState = Schemas["OnboardingState"];
export type OwnerSet = Schemas["OwnerSet"];
export type PasswordStrength = Schemas["PasswordStrength"];
export type PastUpdate = Schemas["PastUpdate"];
export type Person = Schemas["Person"];
export type Picture = Schemas["Picture"];
export type Problem = Schemas["Problem"];
export type Rating = Message["rating"];
export type Role = Person["role"];
export type Sent = Schemas["Sent"];
export type Session = Schemas["SessionView"];
export type SessionItem = Schemas["SessionItem"];
export type SessionWithRecovery = Schemas["SessionWithRecovery"];
export type SpeedRecord = Schemas["SpeedRecord"];
export type Status = Schemas["Status"];
export type Step = OnboardingState["step"];
export type Summary = Schemas["Summary"];
export type UpdateConversation = Partial<Schemas["UpdateConversation"]>;
export type UpdateMe = Partial<Schemas["UpdateMe"]>;
export type UpdatePerson = Partial<Schemas["UpdatePerson"]>;
export type UpdateReason = Schemas["UpdateReason"];
export type Updates = Schemas["Updates"];
export type UpdateSettings = Partial<Schemas["ChangeUpdateSettings"]>;
export type Usage = Schemas["Usage"];
export type VerifyResult = Schemas["VerifyResult"];

export interface Page<Item> {
  items: Item[];
  next_cursor?: string | null;
}

/** What a generation tells while it runs; `sequence` grows by one with each event. */
export type GenerationEvent = { sequence: number } & (
  | { type: "queued"; position: number; eta_seconds: number | null }
  | {
      type: "reading";
      percent: number;
      done_tokens: number;
      total_tokens: number;
      cached_tokens: number;
      eta_seconds?: number | null;
    }
  | { type: "sources"; passages: { passage: number; file_name: string }[] }
  | { type: "delta"; text: string }
  | { type: "snapshot"; text: string }
  | { type: "done"; status: "complete" | "stopped"; finish_reason: string; usage: Usage | null }
  | { type: "error"; code: string; message: string; hint: string; retriable: boolean }
);
