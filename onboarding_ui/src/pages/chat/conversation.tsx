import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useApi } from "@/api/context";
import type { ConversationDetail, Summary, UpdateConversation } from "@/api/types";
import { ProblemNote } from "@/components/problem";
import { Button, buttonLook } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/card";
import { AssistantChip, useConversationAssistant } from "../assistants/assistant-chip";
import { Composer } from "./composer";
import { ContextRing } from "./context-ring";
import { DocumentsChip } from "./documents-chip";
import { MessageView } from "./message-view";
import { ModelChip } from "./model-chip";
import { ConversationStarters } from "./starters";
import { SummaryMark, summaryAbove } from "./summary-mark";
import { branch, newestLeaf, type Shown } from "./tree";
import { useSend } from "./use-send";
import { useStickyScroll } from "./use-sticky-scroll";

/** The conversation's rows, the branch that is shown, and the ways to change it. */
function useConversation(id: string) {
  const api = useApi();
  const queries = useQueryClient();
  const detailQuery = queryOptions({
    queryKey: ["conversation", id, "detail"],
    queryFn: () => api.getConversation(id),
  });
  const messagesQuery = queryOptions({
    queryKey: ["conversation", id, "messages"],
    queryFn: () => api.listMessages(id),
  });
  const detail = useQuery(detailQuery);
  const messages = useQuery(messagesQuery);
  const refresh = (): void => void queries.invalidateQueries({ queryKey: ["conversation", id] });
  const change = useMutation({
    mutationFn: (body: UpdateConversation) => api.updateConversation(id, body),
    onSuccess: (next) => {
      queries.setQueryData(["conversation", id, "detail"], next);
      refresh();
    },
  });
  const all = useMemo(() => messages.data ?? [], [messages.data]);
  const leaf = detail.data?.leaf_id ?? null;
  const shown = useMemo(() => branch(all, leaf), [all, leaf]);
  // What is sent before the messages have come waits for them.
  const lastId = async (): Promise<string | null> => {
    const [{ leaf_id }, rows] = await Promise.all([
      queries.query({ ...detailQuery, staleTime: "static" }),
      queries.query({ ...messagesQuery, staleTime: "static" }),
    ]);
    return branch(rows, leaf_id).at(-1)?.message.id ?? null;
  };
  const halt = useMutation({
    mutationFn: (generation: string) => api.stopGeneration(generation),
    onSettled: refresh,
  });
  const running = shown.find(({ message }) => message.status === "streaming")?.message;
  const generation = running?.generation_id ?? null;
  const stop = generation === null ? undefined : () => halt.mutate(generation);
  return {
    detail: detail.data,
    error: detail.error ?? messages.error,
    refused: change.error ?? halt.error,
    messages,
    all,
    shown,
    change,
    refresh,
    lastId,
    stop,
  };
}

export function Conversation({ id }: { id: string }) {
  const { t } = useTranslation();
  const { detail, error, refused, messages, all, shown, change, refresh, lastId, stop } =
    useConversation(id);
  const { box, onScroll, stick } = useStickyScroll(shown.length);
  const send = useSend({ id, lastId }, stick);
  const assistant = useConversationAssistant(id);
  if (error) return <Missing error={error} />;
  return (
    <>
      <h1 className="sr-only">{detail?.title ?? t("chat.untitled")}</h1>
      <div ref={box} onScroll={onScroll} className="min-h-0 flex-1 overflow-y-auto">
        <ol
          className="mx-auto grid w-full max-w-3xl grid-cols-[minmax(0,1fr)] gap-6 px-4 py-6"
          aria-label={t("chat.messages")}
        >
          {messages.isPending ? <Skeleton rows={3} /> : null}
          {shown.map((one) => (
            <Turn
              key={one.message.id}
              shown={one}
              detail={detail}
              summary={summaryAbove(one.message, all, detail)}
              onResend={(content) =>
                send.mutate({
                  content,
                  parentId: one.message.parent_id,
                  picturesOf: one.message.id,
                })
              }
              onBranch={(to) => change.mutate({ leaf_id: newestLeaf(all, to) })}
              onCut={(from) => change.mutate({ context_from_id: from })}
              onChanged={refresh}
            />
          ))}
        </ol>
        {messages.data?.length === 0 ? (
          <ConversationStarters
            conversationId={id}
            disabled={send.isPending}
            onStart={(content) => send.mutate({ content })}
          />
        ) : null}
      </div>
      <Composer
        draftKey={id}
        busy={send.isPending}
        error={send.error ?? refused}
        onStop={stop}
        onAssistant={assistant.choose}
        onSend={(content, pictures) => send.mutateAsync({ content, pictures })}
        tools={(draft) =>
          detail ? (
            <>
              <AssistantChip {...assistant} />
              <DocumentsChip conversationId={id} />
              <ModelChip
                chosen={detail.model_id}
                onChoose={(model) => change.mutate({ model_id: model })}
              />
              <ContextRing conversationId={id} gauge={detail.context} draft={draft} />
            </>
          ) : null
        }
      />
    </>
  );
}

/** A conversation that cannot be shown, and the way on. */
function Missing({ error }: { error: unknown }) {
  const { t } = useTranslation();
  return (
    <div className="mx-auto grid w-full max-w-md flex-1 content-center justify-items-center gap-5 p-6">
      <h1 className="text-center font-serif text-3xl">{t("chat.missing")}</h1>
      <ProblemNote error={error} />
      <Link to="/chat" className={buttonLook("primary")}>
        {t("chat.new")}
      </Link>
    </div>
  );
}

interface TurnProps {
  shown: Shown;
  detail: ConversationDetail | undefined;
  summary: Summary | null;
  onResend: (content: string) => void;
  onBranch: (to: Shown["message"]) => void;
  onCut: (from: string | null) => void;
  onChanged: () => void;
}

/** One message, with the visible mark where the model's reading, word by word, begins. */
function Turn({ shown, detail, summary, onCut, ...rest }: TurnProps) {
  const { t } = useTranslation();
  const isCut = detail?.context_from_id === shown.message.id;
  return (
    <li className="grid grid-cols-[minmax(0,1fr)] gap-6">
      {summary ? <SummaryMark summary={summary} /> : null}
      {isCut ? (
        <p className="flex items-center gap-3 text-sm text-soft before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">
          {t("chat.cut")}
          <Button kind="quiet" className="text-accent" onClick={() => onCut(null)}>
            {t("undo")}
          </Button>
        </p>
      ) : null}
      <MessageView shown={shown} onCut={onCut} {...rest} />
    </li>
  );
}
