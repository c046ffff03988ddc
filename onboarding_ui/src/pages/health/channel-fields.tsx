import { useTranslation } from "react-i18next";
import type { Alerts, ChangeAlerts } from "@/api/types";
import { Field } from "@/components/ui/field";
import { LanguageSelect, Select, Switch } from "./alert-fields";
import { RecipientFields } from "./recipient-fields";

type Part<Name extends "mail" | "webhook" | "ntfy"> = {
  kept: Alerts[Name];
  draft: ChangeAlerts[Name];
  change: (part: ChangeAlerts[Name]) => void;
};

const SECURITY = ["starttls", "tls", "none"] as const;
const FORMS = ["generic", "slack", "discord"] as const;
const NEW_MAIL: NonNullable<ChangeAlerts["mail"]> = {
  host: "",
  port: 587,
  security: "starttls",
  username: "",
  sender: "",
  recipients: [{ address: "", language: null }],
};

export function MailFields({ kept, draft, change }: Part<"mail">) {
  const { t } = useTranslation();
  return (
    <Switch
      label={t("alerts.mail")}
      checked={draft !== null}
      onChange={(isOn) => change(isOn ? NEW_MAIL : null)}
    >
      {draft ? (
        <>
          <RecipientFields
            recipients={draft.recipients}
            change={(recipients) => change({ ...draft, recipients })}
          />
          <Field
            label={t("alerts.sender")}
            type="email"
            required
            value={draft.sender}
            onChange={({ target }) => change({ ...draft, sender: target.value })}
          />
          <Field
            label={t("alerts.host")}
            required
            value={draft.host}
            onChange={({ target }) => change({ ...draft, host: target.value })}
          />
          <div className="grid grid-cols-2 gap-3">
            <Field
              label={t("alerts.port")}
              type="number"
              min={1}
              max={65535}
              required
              value={draft.port}
              onChange={({ target }) => change({ ...draft, port: Number(target.value) })}
            />
            <Select
              label={t("alerts.security")}
              value={draft.security}
              options={SECURITY.map((one) => [one, t(`alerts.securityOf.${one}`)] as const)}
              onChange={(security) => change({ ...draft, security })}
            />
          </div>
          <Field
            label={t("alerts.username")}
            autoComplete="off"
            value={draft.username}
            onChange={({ target }) => change({ ...draft, username: target.value })}
          />
          <Field
            label={t("alerts.password")}
            type="password"
            autoComplete="new-password"
            hint={kept?.has_password ? t("alerts.kept") : undefined}
            value={draft.password ?? ""}
            onChange={({ target }) => change({ ...draft, password: target.value || null })}
          />
        </>
      ) : null}
    </Switch>
  );
}

export function WebhookFields({ kept, draft, change }: Part<"webhook">) {
  const { t } = useTranslation();
  return (
    <Switch
      label={t("alerts.webhook")}
      checked={draft !== null}
      onChange={(isOn) => change(isOn ? { form: "generic" } : null)}
    >
      {draft ? (
        <>
          <Field
            label={t("alerts.url")}
            type="url"
            required={!kept}
            hint={kept ? t("alerts.urlKept", { host: kept.host }) : undefined}
            value={draft.url ?? ""}
            onChange={({ target }) => change({ ...draft, url: target.value || null })}
          />
          <Select
            label={t("alerts.form")}
            value={draft.form}
            options={FORMS.map((one) => [one, t(`alerts.formOf.${one}`)] as const)}
            onChange={(form) => change({ ...draft, form })}
          />
          <LanguageSelect
            value={draft.language}
            onChange={(language) => change({ ...draft, language })}
          />
        </>
      ) : null}
    </Switch>
  );
}

export function NtfyFields({ kept, draft, change }: Part<"ntfy">) {
  const { t } = useTranslation();
  return (
    <Switch
      label={t("alerts.ntfy")}
      checked={draft !== null}
      onChange={(isOn) => change(isOn ? { server: "https://ntfy.sh", topic: "" } : null)}
    >
      {draft ? (
        <>
          <Field
            label={t("alerts.server")}
            type="url"
            required
            value={draft.server}
            onChange={({ target }) => change({ ...draft, server: target.value })}
          />
          <Field
            label={t("alerts.topic")}
            required
            value={draft.topic}
            onChange={({ target }) => change({ ...draft, topic: target.value })}
          />
          <Field
            label={t("alerts.token")}
            type="password"
            autoComplete="off"
            hint={kept?.has_token ? t("alerts.kept") : undefined}
            value={draft.token ?? ""}
            onChange={({ target }) => change({ ...draft, token: target.value || null })}
          />
          <LanguageSelect
            value={draft.language}
            onChange={(language) => change({ ...draft, language })}
          />
        </>
      ) : null}
    </Switch>
  );
}
