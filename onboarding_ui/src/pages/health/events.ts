import type { HealthSeries } from "@/api/types";

export type HealthEvent = HealthSeries["events"][number];

/** Where an event lies on a chart, from 0 to 1; what began before the chart begins at 0. */
export interface Mark {
  key: string;
  kind: HealthEvent["kind"];
  isTrouble: boolean;
  begin: number;
  end: number;
}

/** The marks of all events that the chart's time has, first what lies below the others. */
export function marksOf({ at, events }: HealthSeries): Mark[] {
  const first = Date.parse(at[0] ?? "");
  const length = Date.parse(at.at(-1) ?? "") - first;
  const place = (moment: string) => (Date.parse(moment) - first) / length;
  const within = (place: number) => Math.min(1, Math.max(0, place));
  return events
    .map(({ kind, code, severity, begin, end }) => ({
      key: `${code} ${begin}`,
      kind,
      isTrouble: severity === "critical",
      begin: place(begin),
      end: end === null ? 1 : place(end),
    }))
    .filter(({ begin, end }) => begin <= 1 && end >= 0)
    .map((mark) => ({ ...mark, begin: within(mark.begin), end: within(mark.end) }))
    .sort((one, other) => other.kind.localeCompare(one.kind));
}
