import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { moment } from "@/components/numbers";
import { ProblemNote } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";

/** What a browser calls itself, shortened to what a person knows. */
function device(agent: string): string {
  const system = /Android|iPhone|iPad|Windows|Mac OS X|Linux/.exec(agent)?.[0] ?? "";
  const browser = /Firefox|Edg|Chrome|Safari/.exec(agent)?.[0]?.replace("Edg", "Edge") ?? "";
  return [browser, system].filter((part) => part !== "").join(", ") || agent;
}

export function SessionsCard() {
  const api = useApi();
  const { t } = useTranslation();
  const queries = useQueryClient();
  const sessions = useQuery({ queryKey: ["sessions"], queryFn: () => api.listSessions() });
  const refresh = () => queries.invalidateQueries({ queryKey: ["sessions"] });
  const end = useMutation({ mutationFn: (id: string) => api.endSession(id), onSettled: refresh });
  const all = useMutation({ mutationFn: () => api.signOutEverywhere(), onSettled: refresh });
  const leave = useMutation({
    mutationFn: () => api.signOut(),
    onSuccess: () => queries.resetQueries(),
  });
  return (
    <Card title={t("sessions.title")}>
      <ul className="grid gap-1 divide-y divide-line">
        {(sessions.data?.items ?? []).map((one) => (
          <li key={one.id} className="flex min-h-12 items-center justify-between gap-2">
            <span>
              {device(one.agent)}
              <span className="block text-sm text-soft">
                {one.current ? t("sessions.here") : moment(one.last_seen_at)}
              </span>
            </span>
            {one.current ? null : (
              <Button kind="quiet" onClick={() => end.mutate(one.id)}>
                {t("sessions.end")}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <ProblemNote error={sessions.error ?? end.error ?? all.error ?? leave.error} />
      <div className="mt-4 flex flex-wrap gap-2">
        <Button onClick={() => leave.mutate()}>{t("sessions.leave")}</Button>
        <Button kind="quiet" onClick={() => all.mutate()}>
          {t("sessions.everywhere")}
        </Button>
      </div>
    </Card>
  );
}
