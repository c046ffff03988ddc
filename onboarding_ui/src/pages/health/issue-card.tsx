import { useMutation, useQueryClient } from "@tanstack/react-query";
import { clsx } from "clsx";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useApi } from "@/api/context";
import type { Issue } from "@/api/types";
import { moment } from "@/components/numbers";
import { ProblemNote } from "@/components/problem";
import { Button, buttonLook } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { HEALTH, inWords } from "@/layout/health-state";
import { isAdministrator, usePerson } from "@/layout/person";

const TONE = { notice: "text-soft", warning: "text-notice", critical: "text-trouble" };

/** One thing that is wrong: what it is, since when, what it means, what to do. */
export function IssueCard({ issue }: { issue: Issue }) {
  const { t } = useTranslation();
  const api = useApi();
  const queries = useQueryClient();
  const mayAct = isAdministrator(usePerson());
  const words = inWords(issue.words);
  const fix = useMutation({
    mutationFn: () => api.fixIssue(issue.id),
    onSuccess: (health) => queries.setQueryData(HEALTH, health),
  });
  const label = issue.fix ? inWords(issue.fix.label) : undefined;
  return (
    <Card>
      <p className={clsx("text-sm font-medium", TONE[issue.severity])}>
        {t(`health.severity.${issue.severity}`)}
      </p>
      <h2 className="mt-1 text-lg font-semibold">{words?.title}</h2>
      <p className="text-sm text-soft">
        {t("health.since", { date: moment(issue.first_seen_at) })}
      </p>
      <p className="mt-3 max-w-prose">{words?.meaning}</p>
      <p className="mt-2 max-w-prose font-medium">{words?.advice}</p>
      {mayAct && (label !== undefined || issue.page) ? (
        <div className="mt-4 flex flex-wrap gap-3">
          {label === undefined ? null : (
            <Button kind="primary" busy={fix.isPending} onClick={() => fix.mutate()}>
              {label}
            </Button>
          )}
          {issue.page ? (
            <Link to={issue.page} className={buttonLook("plain")}>
              {t("health.open")}
            </Link>
          ) : null}
        </div>
      ) : null}
      {fix.error ? (
        <div className="mt-3">
          <ProblemNote error={fix.error} />
        </div>
      ) : null}
    </Card>
  );
}
