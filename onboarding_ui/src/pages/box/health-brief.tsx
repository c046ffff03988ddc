import { useQuery } from "@tanstack/react-query";
import { clsx } from "clsx";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useApi } from "@/api/context";
import { buttonLook } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { inWords, useHealth } from "@/layout/health-state";
import { Sparkline } from "../health/sparkline";

/** The history of a day has a point every five minutes. */
const LOOK_AGAIN_MS = 300_000;
/** What people feel: whether the box is warm, has room, and is quick. */
const SHOWN = [
  "temperature_celsius",
  "memory_available_bytes",
  "disk_free_bytes",
  "tokens_per_second",
] as const;

/** That all is well, or the one thing to do; and the way to all about it. */
export function HealthBrief() {
  const { t } = useTranslation();
  const { data: health } = useHealth();
  if (!health) return null;
  const worst = health.issues[0];
  const words = worst ? inWords(worst.words) : undefined;
  const heat = health.figures.temperature_celsius;
  return (
    <Card title={t("health.title")}>
      <div className="flex flex-wrap items-center justify-between gap-3">
        <div className="min-w-0 flex-1 basis-60">
          <p className={clsx("font-medium", worst?.severity === "critical" && "text-trouble")}>
            {words?.title ?? t("health.allWell")}
          </p>
          <p className="text-soft">
            {words?.advice ?? (heat === undefined ? null : `${Math.round(heat)} °C`)}
          </p>
        </div>
        <Link to="/box/health" className={buttonLook("plain")}>
          {t("health.see")}
        </Link>
      </div>
      <LastDay />
    </Card>
  );
}

/** The last day at a glance; nothing where nothing was measured. */
function LastDay() {
  const api = useApi();
  const { data: series } = useQuery({
    queryKey: ["health-history", "day"],
    queryFn: () => api.getHealthHistory("day"),
    refetchInterval: LOOK_AGAIN_MS,
  });
  const shown = SHOWN.flatMap((figure) => {
    const values = series?.figures[figure];
    return values && values.filter((value) => value !== null).length > 1
      ? [{ figure, values }]
      : [];
  });
  if (shown.length === 0) return null;
  return (
    <div className="mt-4 grid gap-4 min-[26rem]:grid-cols-2 sm:gap-x-8">
      {shown.map(({ figure, values }) => (
        <Sparkline key={figure} figure={figure} values={values} period="day" />
      ))}
    </div>
  );
}
