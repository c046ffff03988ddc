import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { ContextGauge } from "@/api/types";
import { rounded } from "@/components/numbers";

const AROUND = 2 * Math.PI * 8;
const FULL = 0.75;
const PAUSE_MS = 400;

/** What `text` was when the writer last paused. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return text === "" ? "" : settled;
}

/** The gauge with what is being written; without a draft, the conversation's own. */
function useGauge(conversationId: string, gauge: ContextGauge, draft: string): ContextGauge {
  const api = useApi();
  const settled = useSettled(draft.trim() === "" ? "" : draft);
  const measured = useQuery({
    queryKey: ["conversation", conversationId, "context", settled],
    queryFn: () => api.measureDraft(conversationId, settled),
    enabled: settled !== "",
    placeholderData: (before) => before,
    gcTime: 10_000,
  });
  return settled === "" ? gauge : (measured.data ?? gauge);
}

/** What happens to the beginning when the draft is sent, in words; null while all is read. */
function useWarning(gauge: ContextGauge, isNew: boolean): string | null {
  const { t } = useTranslation();
  if (!gauge.fits) return t("chat.draftTooLong");
  if (isNew) return t("chat.willLeaveOut", { count: gauge.left_out_messages });
  return gauge.to_summarise_messages > 0 ? t("chat.willSummarise") : null;
}

interface Props {
  conversationId: string;
  gauge: ContextGauge;
  draft: string;
}

/** How full the model's reading is with what is being written. */
export function ContextRing({ conversationId, gauge: saved, draft }: Props) {
  const { t } = useTranslation();
  const gauge = useGauge(conversationId, saved, draft);
  const warning = useWarning(gauge, gauge.left_out_messages > saved.left_out_messages);
  if (gauge.limit_tokens === 0) return null;
  const share = Math.min(1, (gauge.used_tokens + gauge.draft_tokens) / gauge.limit_tokens);
  const percent = rounded(share * 100);
  const label = t(gauge.is_estimate ? "chat.contextAbout" : "chat.context", { percent });
  return (
    <>
      <svg viewBox="0 0 20 20" role="img" aria-label={label} className="size-5 shrink-0 -rotate-90">
        <title>{label}</title>
        <circle cx="10" cy="10" r="8" fill="none" strokeWidth="3" className="stroke-line" />
        <circle
          cx="10"
          cy="10"
          r="8"
          fill="none"
          strokeWidth="3"
          strokeDasharray={`${share * AROUND} ${AROUND}`}
          className={share > FULL ? "stroke-notice" : "stroke-accent"}
        />
      </svg>
      <span aria-live="polite" className="min-w-0 text-sm text-soft">
        {warning}
      </span>
    </>
  );
}
