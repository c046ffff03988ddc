import { useTranslation } from "react-i18next";
import { type Figure, told } from "./figures";
import { lineThrough } from "./line";

const FRAME = { width: 240, height: 36, edge: 3 };

/** One figure over the last hour, as small as a word; what it shows is also said in a sentence. */
export function Sparkline({ figure, values }: { figure: Figure; values: (number | null)[] }) {
  const { t } = useTranslation();
  const known = values.filter((value) => value !== null);
  const now = known.at(-1);
  if (now === undefined) return null;
  const name = t(`health.figure.${figure}`);
  const spoken = t("health.chart", {
    name,
    now: told(figure, now),
    low: told(figure, Math.min(...known)),
    high: told(figure, Math.max(...known)),
  });
  return (
    <figure className="grid min-w-0 gap-1">
      <figcaption className="flex flex-wrap items-baseline justify-between gap-x-3">
        <span className="text-sm text-soft">{name}</span>
        <span className="font-semibold">{told(figure, now)}</span>
      </figcaption>
      <svg
        role="img"
        aria-label={`${t("health.period.hour")}. ${spoken}`}
        viewBox={`0 0 ${FRAME.width} ${FRAME.height}`}
        preserveAspectRatio="none"
        className="h-9 w-full"
      >
        <path
          d={lineThrough(values, FRAME)}
          fill="none"
          className="stroke-accent"
          strokeWidth={1.75}
          strokeLinecap="round"
          strokeLinejoin="round"
          vectorEffect="non-scaling-stroke"
        />
      </svg>
    </figure>
  );
}
