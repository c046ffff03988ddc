import { clsx } from "clsx";
import { Check } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Updates } from "@/api/types";
import { duration, size } from "@/components/numbers";

const STEPS = ["downloading", "installing", "restarting", "proving", "done"] as const;
type Step = (typeof STEPS)[number];

/** The step that is under way; null when none is. */
function stepOf({ state, progress }: Updates): Step | null {
  switch (state) {
    case "downloading":
      return progress && progress.done_bytes >= progress.total_bytes ? "installing" : "downloading";
    case "installed":
    case "rebooting":
      return "restarting";
    case "proving":
      return "proving";
    case "good":
      return "done";
    default:
      return null;
  }
}

/** The way of an update from the first byte to the proof; a way back begins with the restart. */
export function UpdateSteps({ updates }: { updates: Updates }) {
  const { t } = useTranslation();
  const step = stepOf(updates);
  if (step === null) return null;
  const steps = updates.origin === "other_slot" ? STEPS.slice(2) : STEPS;
  const at = steps.indexOf(step);
  return (
    <ol aria-label={t("updates.steps.label")} className="grid gap-2 sm:flex sm:gap-0">
      {steps.map((one, place) => (
        <StepMark
          key={one}
          name={one}
          progress={place < at || step === "done" ? "done" : place === at ? "now" : "later"}
        />
      ))}
    </ol>
  );
}

function StepMark({ name, progress }: { name: Step; progress: "done" | "now" | "later" }) {
  const { t } = useTranslation();
  return (
    <li
      aria-current={progress === "now" ? "step" : undefined}
      className={clsx(
        "flex items-center gap-2 sm:flex-1 sm:flex-col sm:text-center",
        progress === "now" ? "font-semibold" : "text-soft",
      )}
    >
      <span
        aria-hidden="true"
        className={clsx(
          "grid size-7 shrink-0 place-content-center rounded-full border",
          progress === "done" && "border-well text-well",
          progress === "now" && "border-accent",
          progress === "later" && "border-line",
        )}
      >
        {progress === "done" ? <Check size={16} /> : null}
        {progress === "now" ? <span className="size-2.5 rounded-full bg-accent" /> : null}
      </span>
      <span>
        {t(`updates.steps.${name}`)}
        {progress === "done" ? (
          <span className="sr-only"> ({t("updates.steps.passed")})</span>
        ) : null}
      </span>
    </li>
  );
}

/** Percent, bytes and the time left of what is being fetched and written. */
export function UpdateProgress({ progress }: { progress: NonNullable<Updates["progress"]> }) {
  const { t } = useTranslation();
  const left = progress.seconds_left;
  return (
    <div className="grid gap-1 text-sm">
      <progress
        className="w-full"
        value={progress.percent}
        max={100}
        aria-label={t("updates.progress")}
      />
      <p className="text-soft">
        {t("updates.percent", { percent: progress.percent })} · {size(progress.done_bytes)} /{" "}
        {size(progress.total_bytes)}
        {left === null ? "" : ` · ${t("models.left", { time: duration(left) })}`}
      </p>
    </div>
  );
}
