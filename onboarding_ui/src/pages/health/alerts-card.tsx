import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { AlertChannel, Alerts, ChangeAlerts } from "@/api/types";
import { ProblemNote } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Card, Notice, Skeleton } from "@/components/ui/card";
import { boxWords } from "@/i18n/box-words";
import { Select, Switch } from "./alert-fields";
import { MailFields, NtfyFields, WebhookFields } from "./channel-fields";

const ALERTS = ["alerts"];
const CHANNELS = ["mail", "webhook", "ntfy"] as const;
const LEAST = ["notice", "warning", "critical"] as const;
const HOURS = Array.from(
  { length: 24 },
  (_, hour) => [hour, `${String(hour).padStart(2, "0")}:00`] as const,
);

/** What is kept, as a form that can be sent back; secrets are left out, which keeps them. */
function draftOf({ least, quiet, mail, webhook, ntfy }: Alerts): ChangeAlerts {
  return {
    least,
    quiet,
    mail: mail && {
      host: mail.host,
      port: mail.port,
      security: mail.security,
      username: mail.username,
      sender: mail.sender,
      recipients: mail.recipients,
    },
    webhook: webhook && { form: webhook.form, language: webhook.language },
    ntfy: ntfy && { server: ntfy.server, topic: ntfy.topic, language: ntfy.language },
  };
}

/** Who is told when something is wrong. */
export function AlertsCard() {
  const api = useApi();
  const { t } = useTranslation();
  const alerts = useQuery({ queryKey: ALERTS, queryFn: () => api.getAlerts() });
  return (
    <Card title={t("alerts.title")}>
      <p className="mb-4 max-w-prose text-soft">{t("alerts.help")}</p>
      <ProblemNote error={alerts.error} />
      {alerts.data ? <Form kept={alerts.data} /> : alerts.error ? null : <Skeleton rows={4} />}
    </Card>
  );
}

function Form({ kept }: { kept: Alerts }) {
  const api = useApi();
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [draft, setDraft] = useState(() => draftOf(kept));
  const change = (part: Partial<ChangeAlerts>) => setDraft({ ...draft, ...part });
  const save = useMutation({
    mutationFn: () => api.changeAlerts(draft),
    onSuccess: (alerts) => {
      queries.setQueryData(ALERTS, alerts);
      setDraft(draftOf(alerts));
    },
  });
  return (
    <form
      className="grid max-w-lg gap-5"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Select
        label={t("alerts.least")}
        value={draft.least}
        options={LEAST.map((one) => [one, t(`alerts.leastOf.${one}`)] as const)}
        onChange={(least) => change({ least })}
      />
      <QuietSwitch draft={draft} change={change} />
      <MailFields kept={kept.mail} draft={draft.mail} change={(mail) => change({ mail })} />
      <WebhookFields
        kept={kept.webhook}
        draft={draft.webhook}
        change={(webhook) => change({ webhook })}
      />
      <NtfyFields kept={kept.ntfy} draft={draft.ntfy} change={(ntfy) => change({ ntfy })} />
      <ProblemNote error={save.error} />
      <div className="flex flex-wrap items-center gap-3">
        <Button type="submit" kind="primary" busy={save.isPending}>
          {t("save")}
        </Button>
        {save.isSuccess ? <p role="status">{t("alerts.saved")}</p> : null}
      </div>
      {CHANNELS.filter((channel) => kept[channel]).map((channel) => (
        <Test key={channel} channel={channel} problem={kept.problems[channel]} />
      ))}
    </form>
  );
}

interface QuietProps {
  draft: ChangeAlerts;
  change: (part: Partial<ChangeAlerts>) => void;
}

function QuietSwitch({ draft: { quiet }, change }: QuietProps) {
  const { t } = useTranslation();
  return (
    <Switch
      label={t("alerts.quiet")}
      checked={quiet !== null}
      onChange={(isQuiet) => change({ quiet: isQuiet ? { begin: 22, end: 7 } : null })}
    >
      {quiet ? (
        <>
          <div className="grid grid-cols-2 gap-3">
            <Select
              label={t("alerts.begin")}
              value={quiet.begin}
              options={HOURS}
              onChange={(begin) => change({ quiet: { ...quiet, begin } })}
            />
            <Select
              label={t("alerts.end")}
              value={quiet.end}
              options={HOURS}
              onChange={(end) => change({ quiet: { ...quiet, end } })}
            />
          </div>
          <p className="text-sm text-soft">
            {t("alerts.quietHelp", { begin: HOURS[quiet.begin]?.[1], end: HOURS[quiet.end]?.[1] })}
          </p>
        </>
      ) : null}
    </Switch>
  );
}

function Test({ channel, problem }: { channel: AlertChannel; problem: string | undefined }) {
  const api = useApi();
  const { t } = useTranslation();
  const test = useMutation({ mutationFn: () => api.testAlert({ channel }) });
  return (
    <div className="grid gap-3 border-t border-line pt-4">
      {problem === undefined ? null : <Notice>{boxWords(problem)}</Notice>}
      <div className="flex flex-wrap items-center gap-3">
        <span className="font-medium">{t(`alerts.${channel}`)}</span>
        <Button busy={test.isPending} onClick={() => test.mutate()}>
          {t("alerts.test")}
        </Button>
        {test.isSuccess ? <p role="status">{t("alerts.tested")}</p> : null}
      </div>
      <ProblemNote error={test.error} />
    </div>
  );
}
