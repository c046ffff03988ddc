import { clsx } from "clsx";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { buttonLook } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { inWords, useHealth } from "@/layout/health-state";

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
    </Card>
  );
}
