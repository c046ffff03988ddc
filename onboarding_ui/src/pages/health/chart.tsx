import { useTranslation } from "react-i18next";
import { type Figure, told } from "./figures";
import { lineThrough } from "./line";

const FRAME = { width: 600, height: 110, edge: 4 };

interface Props {
  figure: Figure;
  values: (number | null)[];
  /** Where something began, from 0 to 1. */
  marks: number[];
}

/** One figure over time; what it shows is also said in a sentence. */
export function Chart({ figure, values, marks }: Props) {
  const { t } = useTranslation();
  const known = values.filter((value) => value !== null);
  const now = known.at(-1);
  if (now === undefined) return null;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const name = t(`health.figure.${figure}`);
  const spoken = t("health.chart", {
    name,
    now: told(figure, now),
    low: told(figure, low),
    high: told(figure, high),
  });
  return (
    <figure className="grid gap-1">
      <figcaption className="flex items-baseline justify-between gap-3">
        <span className="text-sm text-soft">{name}</span>
        <span className="font-semibold">{told(figure, now)}</span>
      </figcaption>
      <svg
        role="img"
        aria-label={spoken}
        viewBox={`0 0 ${FRAME.width} ${FRAME.height}`}
        preserveAspectRatio="none"
        className="h-24 w-full rounded-control bg-paper"
      >
        {marks.map((mark) => (
          <line
            key={mark}
            x1={mark * FRAME.width}
            x2={mark * FRAME.width}
            y1={0}
            y2={FRAME.height}
            className="stroke-notice"
            strokeDasharray="3 3"
            vectorEffect="non-scaling-stroke"
          />
        ))}
        <path
          d={lineThrough(values, FRAME)}
          fill="none"
          className="stroke-accent"
          strokeWidth={2}
          strokeLinejoin="round"
          vectorEffect="non-scaling-stroke"
        />
      </svg>
      <p aria-hidden="true" className="flex justify-between text-xs text-soft">
        <span>{told(figure, low)}</span>
        <span>{told(figure, high)}</span>
      </p>
    </figure>
  );
}
