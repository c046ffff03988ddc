import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Navigate } from "react-router";
import { useApi } from "@/api/context";
import type { Updates } from "@/api/types";
import { Confirm } from "@/components/confirm";
import { size } from "@/components/numbers";
import { ProblemNote } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Card, Skeleton } from "@/components/ui/card";
import { isAdministrator, usePerson } from "@/layout/person";
import { isSwitching } from "@/layout/updates-state";
import { Page } from "../page";
import { HistoryCard } from "./history-card";
import { SettingsCard } from "./settings-card";
import { UpdateCard } from "./update-card";
import { useLiveUpdates } from "./use-live-updates";
import { useUpdateAct } from "./use-update-act";

const LOOK_AT_DRIVES_MS = 10_000;

export function UpdatesPage() {
  const { t } = useTranslation();
  return isAdministrator(usePerson()) ? (
    <Page title={t("updates.title")}>
      <Content />
    </Page>
  ) : (
    <Navigate to="/box" replace />
  );
}

function Content() {
  const { t } = useTranslation();
  const { data: updates, error } = useLiveUpdates();
  if (!updates) return error ? <ProblemNote error={error} /> : <Skeleton rows={6} />;
  if (!updates.supported) {
    return (
      <Card>
        <p>{t("updates.unsupported", { version: updates.installed })}</p>
      </Card>
    );
  }
  const isAway = error !== null && isSwitching(updates);
  const isResting = ["idle", "available", "good", "rolled_back"].includes(updates.state);
  return (
    <>
      {isAway ? null : <ProblemNote error={error} />}
      <UpdateCard updates={updates} isAway={isAway} />
      {isResting ? <DriveCard /> : null}
      <SettingsCard updates={updates} />
      <HistoryCard state={updates.state} />
      {isResting ? <GoBackCard updates={updates} /> : null}
    </>
  );
}

/** Update files on drives that are plugged in; without one there is nothing to see. */
function DriveCard() {
  const api = useApi();
  const { t } = useTranslation();
  const act = useUpdateAct();
  const drives = useQuery({
    queryKey: ["drive-bundles"],
    queryFn: () => api.listDriveBundles(),
    refetchInterval: LOOK_AT_DRIVES_MS,
  });
  const items = drives.data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <Card title={t("updates.drive")}>
      <ul className="grid gap-1 divide-y divide-line">
        {items.map(({ name, size_bytes }) => (
          <li key={name} className="flex flex-wrap items-center justify-between gap-2 py-2">
            <span className="min-w-0 break-words">
              {name} <span className="text-sm text-soft">{size(size_bytes)}</span>
            </span>
            <Button
              busy={act.isPending}
              onClick={() => act.mutate(() => api.installFromDrive({ name }))}
            >
              {t("updates.installFile")}
            </Button>
          </li>
        ))}
      </ul>
      <ProblemNote error={act.error} />
    </Card>
  );
}

function GoBackCard({ updates }: { updates: Updates }) {
  const api = useApi();
  const { t } = useTranslation();
  const act = useUpdateAct();
  const [isSure, setSure] = useState(false);
  const version = updates.other_version;
  if (version === null) return null;
  return (
    <Card title={t("updates.before")}>
      <div className="grid justify-items-start gap-4">
        <p className="max-w-prose text-soft">{t("updates.beforeHelp", { version })}</p>
        <ProblemNote error={act.error} />
        {isSure ? (
          <Confirm
            text={t("updates.sure", { version })}
            action={t("updates.goBackNow")}
            busy={act.isPending}
            onConfirm={() => act.mutate(() => api.goBackToVersionBefore())}
            onCancel={() => setSure(false)}
          />
        ) : (
          <Button kind="danger" onClick={() => setSure(true)}>
            {t("updates.goBack", { version })}
          </Button>
        )}
      </div>
    </Card>
  );
}
