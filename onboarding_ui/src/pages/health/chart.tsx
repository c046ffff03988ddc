import { useTranslation } from "react-i18next";
import { type Figure, told } from "./figures";

const WIDTH = 600;
const HEIGHT = 110;
const EDGE = 4;
/** A flat line shall not look like a mountain: the scale spans at least this share of the value. */
const LEAST_SPAN = 0.1;

interface Scale {
  low: number;
  span: number;
}

function scaleOf(values: number[]): Scale {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const span = Math.max(most - least, Math.abs(most) * LEAST_SPAN, 1e-9);
  return { low: (least + most - span) / 2, span };
}

/** The line through all values; where one is missing the line is broken. */
function lineThrough(values: (number | null)[], { low, span }: Scale): string {
  const step = WIDTH / Math.max(1, values.length - 1);
  let isDown = false;
  return values
    .map((value, index) => {
      if (value === null) {
        isDown = false;
        return "";
      }
      const y = HEIGHT - EDGE - ((value - low) / span) * (HEIGHT - 2 * EDGE);
      const word = `${isDown ? "L" : "M"}${(index * step).toFixed(1)} ${y.toFixed(1)}`;
      isDown = true;
      return word;
    })
    .join("");
}

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
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        className="h-24 w-full rounded-control bg-paper"
      >
        {marks.map((mark) => (
          <line
            key={mark}
            x1={mark * WIDTH}
            x2={mark * WIDTH}
            y1={0}
            y2={HEIGHT}
            className="stroke-notice"
            strokeDasharray="3 3"
            vectorEffect="non-scaling-stroke"
          />
        ))}
        <path
          d={lineThrough(values, scaleOf(known))}
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
