import { useTranslation } from "react-i18next";
import type { ModelCard } from "@/api/types";
import { rounded, size } from "./numbers";

/** Speed, size and fit of a model on this machine, in words. */
export function ModelFacts({ card }: { card: ModelCard }) {
  const { t } = useTranslation();
  const words = rounded(card.speed.words_per_second);
  return (
    <p className="flex flex-wrap gap-x-3 gap-y-1 text-sm text-soft">
      <span>
        {card.speed.measured ? t("models.measured", { words }) : t("models.about", { words })}
      </span>
      <span>{size(card.size_bytes)}</span>
      <span
        className={
          card.fit === "good" ? "text-well" : card.fit === "tight" ? "text-notice" : "text-trouble"
        }
      >
        {t(`models.fit.${card.fit}`)}
      </span>
    </p>
  );
}
