import { useTranslation } from "react-i18next";
import { type Figure, told } from "./figures";
import { type Frame, lineThrough } from "./line";

/** What a figure's values come to, in numbers and in a sentence; null where there are none. */
export function useSummary(figure: Figure, values: (number | null)[]) {
  const { t } = useTranslation();
  const known = values.filter((value) => value !== null);
  const last = known.at(-1);
  if (last === undefined) return null;
  const name = t(`health.figure.${figure}`);
  const now = told(figure, last);
  const low = told(figure, Math.min(...known));
  const high = told(figure, Math.max(...known));
  return { name, now, low, high, sentence: t("health.chart", { name, now, low, high }) };
}

/** The figure's name and what it is now. */
export function Caption({ name, now }: { name: string; now: string }) {
  return (
    <figcaption className="flex flex-wrap items-baseline justify-between gap-x-3">
      <span className="text-sm text-soft">{name}</span>
      <span className="font-semibold">{now}</span>
    </figcaption>
  );
}

/** The line itself, as broad however its frame is stretched. */
export function Line({ values, frame }: { values: (number | null)[]; frame: Frame }) {
  return (
    <path
      d={lineThrough(values, frame)}
      fill="none"
      className="stroke-accent"
      strokeWidth={2}
      strokeLinecap="round"
      strokeLinejoin="round"
      vectorEffect="non-scaling-stroke"
    />
  );
}
