import { useQuery } from "@tanstack/react-query";
import { clsx } from "clsx";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { PastUpdate, Updates } from "@/api/types";
import { moment } from "@/components/numbers";
import { ProblemNote } from "@/components/problem";
import { Card } from "@/components/ui/card";
import { boxWords } from "@/i18n/box-words";

const TONE = { good: "text-well", rolled_back: "text-notice", failed: "text-trouble" };

/** The updates so far, each with how it ended and why; asked for again with every new state. */
export function HistoryCard({ state }: { state: Updates["state"] }) {
  const api = useApi();
  const { t } = useTranslation();
  const history = useQuery({
    queryKey: ["update-history", state],
    queryFn: () => api.listUpdateHistory(),
    placeholderData: (before) => before,
  });
  const items = history.data?.items ?? [];
  return (
    <Card title={t("updates.history")}>
      {/* While the box restarts it has no history to tell; the card above says why. */}
      {history.data ? null : <ProblemNote error={history.error} />}
      {history.data && items.length === 0 ? (
        <p className="text-soft">{t("updates.noHistory")}</p>
      ) : null}
      <ul className="grid gap-1 divide-y divide-line">
        {items.map((past) => (
          <HistoryRow key={past.id} past={past} />
        ))}
      </ul>
    </Card>
  );
}

function HistoryRow({ past }: { past: PastUpdate }) {
  const { t } = useTranslation();
  const { result, reason } = past;
  return (
    <li className="grid gap-0.5 py-2">
      <p className="flex flex-wrap items-baseline justify-between gap-x-3">
        <span className="font-medium">
          {t(`updates.origin.${past.origin}`, { version: past.version, from: past.from_version })}
        </span>
        <span className={clsx("text-sm font-medium", result ? TONE[result] : "text-soft")}>
          {t(`updates.result.${result ?? "under_way"}`)}
        </span>
      </p>
      <p className="text-sm text-soft">
        {moment(past.began_at)}
        {reason ? ` · ${boxWords(reason.message)}` : ""}
      </p>
    </li>
  );
}
