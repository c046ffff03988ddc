import { useQuery } from "@tanstack/react-query";
import { clsx } from "clsx";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { HealthSeries } from "@/api/types";
import { ProblemNote } from "@/components/problem";
import { Card, Skeleton } from "@/components/ui/card";
import { Chart } from "./chart";
import { marksOf } from "./events";
import { FIGURES } from "./figures";
import { EventList } from "./marks";

const PERIODS = ["hour", "day", "month"] as const;
const LOOK_AGAIN_MS = { hour: 20_000, day: 120_000, month: 600_000 };

/** What was measured, with what happened meanwhile. */
export function ChartsCard() {
  const api = useApi();
  const { t } = useTranslation();
  const [period, setPeriod] = useState<HealthSeries["period"]>("hour");
  const series = useQuery({
    queryKey: ["health-history", period],
    queryFn: () => api.getHealthHistory(period),
    refetchInterval: LOOK_AGAIN_MS[period],
  });
  return (
    <Card title={t("health.measured")}>
      <fieldset className="mb-4 flex flex-wrap gap-2">
        <legend className="sr-only">{t("health.period.label")}</legend>
        {PERIODS.map((one) => (
          <label
            key={one}
            className={clsx(
              "flex min-h-11 cursor-pointer items-center rounded-control border px-3 has-focus-visible:outline-2",
              one === period ? "border-accent bg-tint font-medium" : "border-edge",
            )}
          >
            <input
              type="radio"
              name="period"
              className="sr-only"
              checked={one === period}
              onChange={() => setPeriod(one)}
            />
            {t(`health.period.${one}`)}
          </label>
        ))}
      </fieldset>
      {series.data ? (
        <>
          <Charts series={series.data} />
          <EventList events={series.data.events} />
        </>
      ) : series.error ? (
        <ProblemNote error={series.error} />
      ) : (
        <Skeleton rows={6} />
      )}
    </Card>
  );
}

function Charts({ series }: { series: HealthSeries }) {
  const { t } = useTranslation();
  if (series.at.length < 2) return <p className="text-soft">{t("health.noChart")}</p>;
  const marks = marksOf(series);
  return (
    <div className="grid gap-6 sm:grid-cols-2">
      {FIGURES.map((figure) => {
        const values = series.figures[figure];
        return values ? <Chart key={figure} figure={figure} values={values} marks={marks} /> : null;
      })}
    </div>
  );
}
