import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { Box, Ssh, SshHours } from "@/api/types";
import { CopyButton } from "@/components/copy-button";
import { moment, timeOfDay } from "@/components/numbers";
import { ProblemNote } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Card, Notice } from "@/components/ui/card";
import { inputLook } from "@/components/ui/field";
import { SshKeys } from "./ssh-keys";

const HOURS: SshHours[] = [1, 8, 24];
const LOOK_MILLISECONDS = 15_000;

/** SSH, which only the owner sees and opens. */
export function SshCard({ box }: { box: Box }) {
  const api = useApi();
  const { t } = useTranslation();
  const ssh = useQuery({
    queryKey: ["ssh"],
    queryFn: () => api.getSsh(),
    refetchInterval: ({ state }) => (state.data?.open_until ? LOOK_MILLISECONDS : false),
  });
  return (
    <Card title={t("ssh.title")}>
      <div className="grid gap-4">
        <p className="max-w-prose text-soft">{t("ssh.help")}</p>
        <ProblemNote error={ssh.error} />
        {ssh.data?.supported === false ? <p>{t("ssh.unsupported")}</p> : null}
        {ssh.data?.supported ? (
          <>
            <p className="max-w-prose text-soft">{t("ssh.may")}</p>
            <Door ssh={ssh.data} hostname={box.hostname} />
            <SshKeys ssh={ssh.data} />
            <Events events={ssh.data.events} />
          </>
        ) : null}
      </div>
    </Card>
  );
}

function useDoor() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (act: () => Promise<Ssh>) => act(),
    onSuccess: (ssh) => queries.setQueryData(["ssh"], ssh),
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: ["ssh"] }),
        queries.invalidateQueries({ queryKey: ["box"] }),
      ]),
  });
}

function Door({ ssh, hostname }: { ssh: Ssh; hostname: string }) {
  const api = useApi();
  const { t } = useTranslation();
  const act = useDoor();
  const [hours, setHours] = useState<SshHours>(1);
  if (ssh.open_until !== null) {
    const command = `ssh ${ssh.account}@${hostname}`;
    return (
      <div className="grid justify-items-start gap-3">
        <Notice>{t("ssh.open", { time: timeOfDay(ssh.open_until) })}</Notice>
        <div>
          <p className="text-sm text-soft">{t("ssh.command")}</p>
          <p className="flex items-center gap-1">
            <code className="font-mono text-sm select-all">{command}</code>
            <CopyButton text={command} label={t("ssh.copy")} />
          </p>
        </div>
        {ssh.host_key === null ? null : (
          <div>
            <p className="text-sm text-soft">{t("ssh.hostKey")}</p>
            <p className="flex items-center gap-1">
              <span className="min-w-0 font-mono text-sm wrap-anywhere select-all">
                {ssh.host_key}
              </span>
              <CopyButton text={ssh.host_key} label={t("ssh.copyHostKey")} />
            </p>
          </div>
        )}
        <ProblemNote error={act.error} />
        <Button
          kind="primary"
          busy={act.isPending}
          onClick={() => act.mutate(() => api.closeSsh())}
        >
          {t("ssh.close")}
        </Button>
      </div>
    );
  }
  return (
    <form
      className="grid justify-items-start gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        act.mutate(() => api.openSsh({ hours }));
      }}
    >
      <p className="font-medium">{t("ssh.closed")}</p>
      <div className="flex flex-wrap items-end gap-3">
        <label className="grid gap-1.5 text-sm font-medium">
          {t("ssh.hours")}
          <select
            value={hours}
            onChange={({ target }) => setHours(Number(target.value) as SshHours)}
            className={inputLook}
          >
            {HOURS.map((count) => (
              <option key={count} value={count}>
                {t("ssh.hour", { count })}
              </option>
            ))}
          </select>
        </label>
        <Button type="submit" busy={act.isPending} disabled={ssh.keys.length === 0}>
          {t("ssh.openNow")}
        </Button>
      </div>
      {ssh.keys.length === 0 ? <p className="text-sm text-soft">{t("ssh.noKey")}</p> : null}
      <ProblemNote error={act.error} />
    </form>
  );
}

function Events({ events }: { events: Ssh["events"] }) {
  const { t } = useTranslation();
  if (events.length === 0) return null;
  const hours = (detail: string | null) => t("ssh.hour", { count: parseInt(detail ?? "0", 10) });
  return (
    <details>
      <summary className="min-h-11 cursor-pointer content-center font-medium">
        {t("ssh.events")}
      </summary>
      <ul className="mt-2 grid gap-2">
        {events.map(({ act, person_name: name, address, detail, happened_at: at }) => (
          <li key={`${at} ${act}`}>
            {t(`ssh.act.${act}`, { name, detail: act === "opened" ? hours(detail) : detail })}
            <span className="block text-sm text-soft wrap-anywhere">
              {address === null ? moment(at) : t("ssh.from", { time: moment(at), address })}
              {act.startsWith("key_") ? ` · ${detail ?? ""}` : null}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}
