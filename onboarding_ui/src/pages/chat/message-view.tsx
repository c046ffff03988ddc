import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { Message } from "@/api/types";
import { Markdown } from "@/components/markdown";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/card";
import { boxWords } from "@/i18n/box-words";
import { useCitations, useSources } from "../knowledge/use-sources";
import { MemoryOffer } from "./memory-offer";
import { AnswerTools, Branches, EditButton } from "./message-tools";
import type { Shown } from "./tree";
import { usePictures } from "./use-pictures";
import { useGeneration } from "./use-generation";
import { useRegenerate } from "./use-regenerate";
import { WaitingLine } from "./waiting-line";

const Pictures = lazy(() => import("./pictures"));
const Sources = lazy(() => import("../knowledge/sources"));

interface Props {
  shown: Shown;
  onResend: (content: string) => void;
  onBranch: (to: Message) => void;
  onCut: (from: string | null) => void;
  onChanged: () => void;
}

export function MessageView(props: Props) {
  return props.shown.message.role === "user" ? <Question {...props} /> : <Answer {...props} />;
}

function Question({ shown, onResend, onBranch }: Props) {
  const [editing, setEditing] = useState(false);
  const { message } = shown;
  const pictures = usePictures(message);
  if (editing) {
    return (
      <Edit
        text={message.content}
        onCancel={() => setEditing(false)}
        onSave={(content) => {
          setEditing(false);
          onResend(content);
        }}
      />
    );
  }
  return (
    <div className="group grid justify-items-end gap-1">
      {pictures.length > 0 ? (
        <Suspense fallback={null}>
          <Pictures pictures={pictures} />
        </Suspense>
      ) : null}
      <div className="max-w-[85%] whitespace-pre-wrap rounded-card bg-tint px-4 py-2.5">
        {message.content}
      </div>
      <div className="flex items-center">
        <Branches shown={shown} onBranch={onBranch} />
        <EditButton onEdit={() => setEditing(true)} text={message.content} />
      </div>
    </div>
  );
}

function Edit({
  text,
  onSave,
  onCancel,
}: {
  text: string;
  onSave: (text: string) => void;
  onCancel: () => void;
}) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState(text);
  return (
    <form
      className="grid gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        onSave(draft);
      }}
    >
      <textarea
        ref={(area) => area?.focus()}
        aria-label={t("chat.edit")}
        rows={Math.min(8, draft.split("\n").length + 1)}
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
        className="rounded-card border border-edge bg-surface p-3"
      />
      <div className="flex justify-end gap-2">
        <Button kind="quiet" onClick={onCancel}>
          {t("cancel")}
        </Button>
        <Button kind="primary" type="submit" disabled={draft.trim() === ""}>
          {t("chat.send")}
        </Button>
      </div>
    </form>
  );
}

function Answer({ shown, onBranch, onCut, onChanged }: Props) {
  const { message } = shown;
  const live = useGeneration(message);
  const regenerate = useRegenerate(message, onChanged);
  const isRunning = message.status === "streaming";
  const sources = useSources(message);
  const citations = useCitations(sources);
  const [opened, setOpened] = useState<number | null>(null);
  return (
    <div className="group grid grid-cols-[minmax(0,1fr)] gap-2">
      <div aria-live="polite" aria-busy={isRunning}>
        {live.text === "" ? null : (
          <Markdown text={live.text} citations={citations} onCite={setOpened} />
        )}
      </div>
      {message.model_id?.startsWith("remote-") ? <ElsewhereMark id={message.model_id} /> : null}
      {isRunning ? null : <CutMark message={message} />}
      {isRunning && live.waiting !== null ? <WaitingLine waiting={live.waiting} /> : null}
      {message.error ? (
        <AnswerProblem message={message} onCut={onCut} onAgain={() => regenerate.mutate()} />
      ) : null}
      {isRunning || sources === null ? null : (
        <Suspense fallback={null}>
          <Sources messageId={message.id} sources={sources} opened={opened} onOpen={setOpened} />
        </Suspense>
      )}
      {isRunning ? null : <MemoryOffer shown={shown} />}
      {isRunning ? null : (
        <AnswerTools
          shown={shown}
          onBranch={onBranch}
          onAgain={() => regenerate.mutate()}
          onChanged={onChanged}
        />
      )}
    </div>
  );
}

/** Says that an answer was not made on this box. */
function ElsewhereMark({ id }: { id: string }) {
  const { t } = useTranslation();
  const api = useApi();
  const models = useQuery({ queryKey: ["remote-models"], queryFn: () => api.listRemoteModels() });
  const host = models.data?.items.find((model) => model.id === id)?.host;
  return (
    <p className="text-sm text-soft">
      {host === undefined ? t("chat.elsewhere") : t("chat.elsewhereAt", { host })}
    </p>
  );
}

/** Says that an answer ended before its end. */
function CutMark({ message }: { message: Message }) {
  const { t } = useTranslation();
  const reason = message.usage?.finish_reason;
  if (reason !== "length" && reason !== "repetition") return null;
  return <p className="text-sm text-soft">{t(`chat.ended.${reason}`)}</p>;
}

interface ProblemProps {
  message: Message;
  onAgain: () => void;
  onCut: (from: string | null) => void;
}

/** What went wrong, in words, with the one action that helps. */
function AnswerProblem({ message, onAgain, onCut }: ProblemProps) {
  const { t } = useTranslation();
  if (!message.error) return null;
  const isTooLong = message.error.code === "context_length_exceeded";
  return (
    <Notice>
      <p>{boxWords(message.error.message)}</p>
      <Button
        className="mt-2"
        onClick={() => {
          if (isTooLong) onCut(message.parent_id);
          onAgain();
        }}
      >
        {isTooLong ? t("chat.leaveOut") : t("chat.again")}
      </Button>
    </Notice>
  );
}
