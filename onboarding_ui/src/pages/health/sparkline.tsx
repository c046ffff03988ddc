import { useTranslation } from "react-i18next";
import type { HealthSeries } from "@/api/types";
import type { Figure } from "./figures";
import { Caption, Line, useSummary } from "./shape";

const FRAME = { width: 240, height: 36, edge: 3 };

interface Props {
  figure: Figure;
  values: (number | null)[];
  period: HealthSeries["period"];
}

/** One figure over time, as small as a word; what it shows is also said in a sentence. */
export function Sparkline({ figure, values, period }: Props) {
  const { t } = useTranslation();
  const summary = useSummary(figure, values);
  if (summary === null) return null;
  return (
    <figure className="grid min-w-0 gap-1">
      <Caption name={summary.name} now={summary.now} />
      <svg
        role="img"
        aria-label={`${t(`health.period.${period}`)}. ${summary.sentence}`}
        viewBox={`0 0 ${FRAME.width} ${FRAME.height}`}
        preserveAspectRatio="none"
        className="h-9 w-full"
      >
        <Line values={values} frame={FRAME} />
      </svg>
    </figure>
  );
}
