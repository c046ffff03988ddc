import { useTranslation } from "react-i18next";
import type { ModelCard } from "@/api/types";
import { rounded, size } from "./numbers";

const FIT_LOOK = { good: "text-well", tight: "text-notice", too_large: "text-trouble" };

/** Speed, size and fit of a model on this machine, in words. */
export function ModelFacts({ card }: { card: ModelCard }) {
  const { t } = useTranslation();
  const words = rounded(card.speed.words_per_second);
  const bytes = size(card.size_bytes);
  const isHere = card.state === "installed" || card.state === "damaged";
  return (
    <span className="flex flex-wrap gap-x-4 gap-y-0.5 text-sm text-soft">
      {card.role === "embedding" ? null : (
        <span>{t(card.speed.measured ? "models.measured" : "models.about", { words })}</span>
      )}
      <span>{t(isHere ? "models.sizeHere" : "models.sizeToGet", { size: bytes })}</span>
      <span className={FIT_LOOK[card.fit]}>{t(`models.fit.${card.fit}`)}</span>
    </span>
  );
}
