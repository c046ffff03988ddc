import type { Mark } from "./events";
import type { Figure } from "./figures";
import { Marks } from "./marks";
import { Caption, Line, useSummary } from "./shape";

const FRAME = { width: 600, height: 110, edge: 4 };

interface Props {
  figure: Figure;
  values: (number | null)[];
  marks: Mark[];
}

/** One figure over time; what it shows is also said in a sentence. */
export function Chart({ figure, values, marks }: Props) {
  const summary = useSummary(figure, values);
  if (summary === null) return null;
  return (
    <figure className="grid gap-1">
      <Caption name={summary.name} now={summary.now} />
      <svg
        role="img"
        aria-label={summary.sentence}
        viewBox={`0 0 ${FRAME.width} ${FRAME.height}`}
        preserveAspectRatio="none"
        className="h-24 w-full rounded-control bg-paper"
      >
        <Marks marks={marks} frame={FRAME} />
        <Line values={values} frame={FRAME} />
      </svg>
      <p aria-hidden="true" className="flex justify-between text-xs text-soft">
        <span>{summary.low}</span>
        <span>{summary.high}</span>
      </p>
    </figure>
  );
}
