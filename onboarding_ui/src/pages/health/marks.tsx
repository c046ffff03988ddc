import { clsx } from "clsx";
import { useTranslation } from "react-i18next";
import { moment } from "@/components/numbers";
import { inWords } from "@/layout/health-state";
import type { HealthEvent, Mark } from "./events";
import type { Frame } from "./line";

const SHOWN = 8;

/** Bands for what the box did by itself, dashed lines for where something began to be wrong. */
export function Marks({ marks, frame }: { marks: Mark[]; frame: Frame }) {
  return marks.map(({ key, kind, isTrouble, begin, end }) =>
    kind === "reaction" ? (
      <rect
        key={key}
        x={begin * frame.width}
        width={(end - begin) * frame.width}
        height={frame.height}
        className="fill-accent/15"
      />
    ) : (
      <line
        key={key}
        x1={begin * frame.width}
        x2={begin * frame.width}
        y2={frame.height}
        className={isTrouble ? "stroke-trouble" : "stroke-notice"}
        strokeDasharray="3 3"
        vectorEffect="non-scaling-stroke"
      />
    ),
  );
}

/** The events in words, the newest first: what the marks on the charts mean. */
export function EventList({ events }: { events: HealthEvent[] }) {
  const { t } = useTranslation();
  if (events.length === 0) return null;
  const shown = events.slice(0, SHOWN);
  return (
    <section className="mt-6">
      <h3 className="font-medium">{t("health.events.title")}</h3>
      <ul className="mt-2 grid gap-2">
        {shown.map((event) => (
          <li key={`${event.code} ${event.begin}`} className="flex gap-3">
            <Sign event={event} />
            <div className="min-w-0">
              <p>{inWords(event.words)}</p>
              <p className="text-sm text-soft">
                {event.end === null
                  ? t("health.since", { date: moment(event.begin) })
                  : t("health.pastSpan", { begin: moment(event.begin), end: moment(event.end) })}
              </p>
            </div>
          </li>
        ))}
      </ul>
      {events.length > SHOWN ? (
        <p className="mt-2 text-sm text-soft">
          {t("health.events.more", { count: events.length - SHOWN })}
        </p>
      ) : null}
    </section>
  );
}

/** The mark of the charts, beside its words. */
function Sign({ event: { kind, severity } }: { event: HealthEvent }) {
  return (
    <span aria-hidden="true" className="flex h-6 w-4 shrink-0 items-center justify-center">
      <span
        className={clsx(
          kind === "reaction" && "size-4 rounded-sm bg-accent/15",
          kind === "issue" && "h-5 border-l-2 border-dashed",
          kind === "issue" && (severity === "critical" ? "border-trouble" : "border-notice"),
        )}
      />
    </span>
  );
}
