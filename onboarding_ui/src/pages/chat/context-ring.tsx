import { useTranslation } from "react-i18next";
import type { ConversationDetail } from "@/api/types";
import { rounded } from "@/components/numbers";

const AROUND = 2 * Math.PI * 8;

/** How full the model's reading is. */
export function ContextRing({ context }: { context: ConversationDetail["context"] }) {
  const { t } = useTranslation();
  const { used_tokens: used, limit_tokens: limit } = context;
  if (limit === 0) return null;
  const share = Math.min(1, used / limit);
  const label = t("chat.context", { percent: rounded(share * 100) });
  return (
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
        className={share > 0.85 ? "stroke-notice" : "stroke-accent"}
      />
    </svg>
  );
}
