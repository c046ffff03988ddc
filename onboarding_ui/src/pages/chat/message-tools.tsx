import { useMutation, useQuery } from "@tanstack/react-query";
import {
  ChevronLeft,
  ChevronRight,
  Info,
  Pencil,
  RotateCcw,
  ThumbsDown,
  ThumbsUp,
} from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { Message, Rating } from "@/api/types";
import { CopyButton } from "@/components/copy-button";
import { rounded } from "@/components/numbers";
import { IconButton } from "@/components/ui/button";
import type { Shown } from "./tree";

const APPEARING =
  "opacity-0 transition group-hover:opacity-100 focus-within:opacity-100 [@media(hover:none)]:opacity-100";

/** `‹ 2/3 ›`: the answers or edits beside this one. */
export function Branches({ shown, onBranch }: { shown: Shown; onBranch: (to: Message) => void }) {
  const { t } = useTranslation();
  const { siblings, position } = shown;
  const [before, after] = [siblings[position - 1], siblings[position + 1]];
  if (siblings.length < 2) return null;
  return (
    <span className="flex items-center text-sm text-soft">
      <IconButton
        label={t("chat.before")}
        disabled={!before}
        onClick={() => before && onBranch(before)}
      >
        <ChevronLeft size={18} />
      </IconButton>
      {position + 1}/{siblings.length}
      <IconButton
        label={t("chat.after")}
        disabled={!after}
        onClick={() => after && onBranch(after)}
      >
        <ChevronRight size={18} />
      </IconButton>
    </span>
  );
}

export function EditButton({ text, onEdit }: { text: string; onEdit: () => void }) {
  const { t } = useTranslation();
  return (
    <span className={APPEARING}>
      <CopyButton text={text} />
      <IconButton label={t("chat.edit")} onClick={onEdit}>
        <Pencil size={17} />
      </IconButton>
    </span>
  );
}

interface Props {
  shown: Shown;
  onBranch: (to: Message) => void;
  onAgain: () => void;
  onChanged: () => void;
}

/** Under an answer: copy, again, rate, details, and the ways to its siblings. */
export function AnswerTools({ shown, onBranch, onAgain, onChanged }: Props) {
  const api = useApi();
  const { t } = useTranslation();
  const { message } = shown;
  const [isOpen, setOpen] = useState(false);
  const rate = useMutation({
    mutationFn: (rating: Rating) => api.rateMessage(message.id, rating),
    onSuccess: onChanged,
  });
  const known = share(message);
  const toggle = (rating: Rating): void => rate.mutate(message.rating === rating ? null : rating);
  return (
    <div className="grid gap-2">
      <div className="flex flex-wrap items-center">
        <Branches shown={shown} onBranch={onBranch} />
        <span className={`flex ${APPEARING}`}>
          <CopyButton text={message.content} />
          <IconButton label={t("chat.again")} onClick={onAgain}>
            <RotateCcw size={17} />
          </IconButton>
          <IconButton
            label={t("chat.good")}
            aria-pressed={message.rating === "up"}
            onClick={() => toggle("up")}
          >
            <ThumbsUp size={17} />
          </IconButton>
          <IconButton
            label={t("chat.bad")}
            aria-pressed={message.rating === "down"}
            onClick={() => toggle("down")}
          >
            <ThumbsDown size={17} />
          </IconButton>
          <IconButton
            label={t("chat.details")}
            aria-expanded={isOpen}
            onClick={() => setOpen(!isOpen)}
          >
            <Info size={17} />
          </IconButton>
        </span>
        {known >= 1 ? (
          <span className="ml-2 text-sm text-soft">
            {t("engine.alreadyRead", { percent: rounded(known) })}
          </span>
        ) : null}
      </div>
      {isOpen ? <Details message={message} /> : null}
    </div>
  );
}

/** How much of what the model read it knew from before, in per cent. */
function share({ usage }: Message): number {
  return usage && usage.prompt_tokens > 0 ? (100 * usage.cached_tokens) / usage.prompt_tokens : 0;
}

function Details({ message }: { message: Message }) {
  const { t } = useTranslation();
  const api = useApi();
  const models = useQuery({ queryKey: ["models"], queryFn: () => api.listModels() });
  const model = models.data?.items.find(({ id }) => id === message.model_id);
  const usage = message.usage;
  const known = share(message);
  const rows: [string, string][] = [
    [t("chat.detail.model"), model?.title ?? message.model_id ?? "–"],
    [t("chat.detail.speed"), usage?.tokens_per_second ? rounded(usage.tokens_per_second) : "–"],
    [t("chat.detail.known"), usage ? `${rounded(known)} %` : "–"],
    [
      t("chat.detail.first"),
      usage?.first_token_seconds ? `${rounded(usage.first_token_seconds)} s` : "–",
    ],
    [t("chat.detail.tokens"), usage ? `${usage.prompt_tokens} + ${usage.completion_tokens}` : "–"],
  ];
  return (
    <dl className="grid w-fit max-w-full grid-cols-[auto_auto] gap-x-4 rounded-control bg-tint p-3 text-sm">
      {rows.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-soft">{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
