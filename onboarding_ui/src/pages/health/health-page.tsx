import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { Health, Issue } from "@/api/types";
import { Lamp } from "@/components/lamp";
import { moment } from "@/components/numbers";
import { ProblemNote } from "@/components/problem";
import { Card, Skeleton } from "@/components/ui/card";
import { inWords, lampOfHealth, useHealth } from "@/layout/health-state";
import { isAdministrator, usePerson } from "@/layout/person";
import { Page } from "../page";
import { AlertsCard } from "./alerts-card";
import { ChartsCard } from "./charts-card";
import { IssueCard } from "./issue-card";
import { SupportCard } from "./support-card";

export function HealthPage() {
  const { t } = useTranslation();
  const { data: health, error } = useHealth();
  const mayAct = isAdministrator(usePerson());
  return (
    <Page title={t("health.title")}>
      <ProblemNote error={error} />
      {health ? <Now health={health} /> : error ? null : <Skeleton rows={6} />}
      <ChartsCard />
      {mayAct ? <PastCard open={health?.issues ?? []} /> : null}
      {mayAct ? <AlertsCard /> : null}
      {mayAct ? <SupportCard /> : null}
    </Page>
  );
}

function Now({ health }: { health: Health }) {
  const { t } = useTranslation();
  return (
    <>
      {health.issues.length === 0 ? (
        <Card>
          <div className="flex items-center gap-5 p-1">
            <Lamp state={lampOfHealth(health)} size={34} />
            <div>
              <h2 className="font-serif text-2xl">{t("health.allWell")}</h2>
              <p className="text-soft">{t("health.allWellHelp")}</p>
            </div>
          </div>
        </Card>
      ) : (
        health.issues.map((issue) => <IssueCard key={issue.id} issue={issue} />)
      )}
      {health.reactions.length > 0 ? (
        <Card title={t("health.itself")}>
          <ul className="grid gap-2">
            {health.reactions.map(({ code, words, since }) => (
              <li key={code}>
                <p>{inWords(words)}</p>
                <p className="text-sm text-soft">{t("health.since", { date: moment(since) })}</p>
              </li>
            ))}
          </ul>
        </Card>
      ) : null}
    </>
  );
}

/** What was wrong, and when it was over; asked again whenever one of the open issues ends. */
function PastCard({ open }: { open: Issue[] }) {
  const api = useApi();
  const { t } = useTranslation();
  const past = useQuery({
    queryKey: ["past-issues", open.map(({ id }) => id).sort()],
    queryFn: () => api.listPastIssues(),
    placeholderData: keepPreviousData,
  });
  return (
    <Card title={t("health.past")}>
      <ProblemNote error={past.error} />
      {past.data?.items.length === 0 ? (
        <p className="text-soft">{t("health.noPast")}</p>
      ) : (
        <ul className="grid gap-1 divide-y divide-line">
          {past.data?.items.map((issue) => (
            <PastRow key={issue.id} issue={issue} />
          ))}
        </ul>
      )}
    </Card>
  );
}

function PastRow({ issue }: { issue: Issue }) {
  const { t } = useTranslation();
  const { first_seen_at, ended_at } = issue;
  return (
    <li className="py-2">
      <p className="font-medium">{inWords(issue.words)?.title}</p>
      <p className="text-sm text-soft">
        {t("health.pastSpan", {
          begin: moment(first_seen_at),
          end: moment(ended_at ?? first_seen_at),
        })}
      </p>
    </li>
  );
}
