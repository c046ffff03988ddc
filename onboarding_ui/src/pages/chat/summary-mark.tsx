import { ChevronDown } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { ConversationDetail, Message, Summary } from "@/api/types";
import { Markdown } from "@/components/markdown";

/** The summary that the model reads in place of all above `message`, if there is one. */
export function summaryAbove(
  message: Message,
  all: Message[],
  detail: ConversationDetail | undefined,
): Summary | null {
  const until = detail?.context.summarised_until_id ?? null;
  if (until === null || message.parent_id !== until) return null;
  return all.find(({ id }) => id === until)?.summary ?? null;
}

/** The visible mark between what is read as a summary and what is read word by word. */
export function SummaryMark({ summary }: { summary: Summary }) {
  const { t } = useTranslation();
  return (
    <details className="group/summary text-sm text-soft">
      <summary className="flex min-h-11 cursor-pointer list-none items-center gap-3 before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">
        <span className="flex items-center gap-1">
          {t("chat.summarised", { count: summary.message_count })}
          <ChevronDown
            size={16}
            aria-hidden="true"
            className="transition group-open/summary:rotate-180"
          />
        </span>
      </summary>
      <div className="mt-2 rounded-card border border-line bg-surface p-4 text-ink">
        <Markdown text={summary.content} />
      </div>
    </details>
  );
}
