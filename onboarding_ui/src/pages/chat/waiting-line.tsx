import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import { Lamp } from "@/components/lamp";
import { duration } from "@/components/numbers";
import type { Waiting } from "./use-generation";

const WORDS_PER_TOKEN = 0.75;

/** One line that says what happens before the first word. */
export function WaitingLine({ waiting }: { waiting: Waiting }) {
  const { t } = useTranslation();
  return (
    <p role="status" className="flex items-center gap-3 text-soft">
      <Lamp state="working" size={12} />
      {say(waiting, t)}
    </p>
  );
}

function say(waiting: Waiting, t: TFunction): string {
  switch (waiting.kind) {
    case "queued":
      return waiting.seconds === null
        ? t("chat.queued", { position: waiting.position })
        : t("chat.queuedFor", { position: waiting.position, time: duration(waiting.seconds) });
    case "reading": {
      const reading = t("chat.reading", {
        words: Math.round((waiting.tokens - waiting.known) * WORDS_PER_TOKEN),
        percent: waiting.percent,
      });
      const isLong = waiting.seconds !== null && waiting.seconds >= 2;
      return isLong ? `${reading} · ${duration(waiting.seconds ?? 0)}` : reading;
    }
    case "starting":
      return t("chat.starting");
  }
}
