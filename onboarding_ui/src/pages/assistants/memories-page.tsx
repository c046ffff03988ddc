import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useApi } from "@/api/context";
import type { Memory } from "@/api/library-types";
import { ProblemNote } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Card, Skeleton } from "@/components/ui/card";
import { Field } from "@/components/ui/field";
import { LibraryFrame } from "../knowledge/library-frame";

function useMemoryAct() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (work: () => Promise<unknown>) => work(),
    onSettled: () => queries.invalidateQueries({ queryKey: ["memories"] }),
  });
}

export function MemoriesPage() {
  const api = useApi();
  const { t } = useTranslation();
  const [fact, setFact] = useState("");
  const memories = useQuery({ queryKey: ["memories"], queryFn: () => api.listMemories() });
  const act = useMemoryAct();
  const add = (): void =>
    act.mutate(() => api.createMemory(fact), { onSuccess: () => setFact("") });
  return (
    <LibraryFrame>
      <Card>
        <p className="mb-4 text-soft">{t("library.memory.help")}</p>
        <label className="flex min-h-11 items-center gap-3">
          <input
            type="checkbox"
            className="size-5 accent-accent"
            checked={memories.data?.enabled ?? true}
            onChange={(event) => {
              const { checked } = event.target;
              act.mutate(() => api.enableMemories(checked));
            }}
          />
          {t("library.memory.on")}
        </label>
        <form
          className="mt-4 grid items-end gap-3 sm:grid-cols-[1fr_auto]"
          onSubmit={(event) => {
            event.preventDefault();
            add();
          }}
        >
          <Field
            label={t("library.memory.label")}
            value={fact}
            maxLength={500}
            onChange={(event) => setFact(event.target.value)}
          />
          <Button type="submit" disabled={fact.trim() === ""}>
            {t("library.memory.new")}
          </Button>
        </form>
      </Card>
      <ProblemNote error={memories.error ?? act.error} />
      {memories.isPending ? <Skeleton rows={3} /> : null}
      {memories.data?.items.length === 0 ? <p>{t("library.memory.none")}</p> : null}
      <ul className="grid gap-3">
        {(memories.data?.items ?? []).map((memory) => (
          <MemoryRow key={memory.id} memory={memory} />
        ))}
      </ul>
    </LibraryFrame>
  );
}

function MemoryRow({ memory }: { memory: Memory }) {
  const api = useApi();
  const { t } = useTranslation();
  const act = useMemoryAct();
  const [draft, setDraft] = useState<string | null>(null);
  const isProposed = memory.state === "proposed";
  if (draft !== null) {
    return (
      <li className="rounded-card border border-line bg-surface p-4">
        <form
          className="grid gap-3"
          onSubmit={(event) => {
            event.preventDefault();
            act.mutate(() => api.updateMemory(memory.id, { content: draft }), {
              onSuccess: () => setDraft(null),
            });
          }}
        >
          <Field
            label={t("library.memory.label")}
            value={draft}
            maxLength={500}
            onChange={(event) => setDraft(event.target.value)}
          />
          <div className="flex flex-wrap gap-2">
            <Button kind="primary" type="submit" disabled={draft.trim() === ""}>
              {t("save")}
            </Button>
            <Button onClick={() => setDraft(null)}>{t("cancel")}</Button>
          </div>
        </form>
      </li>
    );
  }
  return (
    <li className="grid gap-1 rounded-card border border-line bg-surface p-4">
      {isProposed ? <p className="text-sm text-notice">{t("library.memory.proposed")}</p> : null}
      <p className="break-words">{memory.content}</p>
      <Origin memory={memory} />
      <div className="-ms-4 flex flex-wrap">
        {isProposed ? (
          <Button
            kind="quiet"
            onClick={() => act.mutate(() => api.updateMemory(memory.id, { confirmed: true }))}
          >
            {t("library.memory.keep")}
          </Button>
        ) : null}
        <Button kind="quiet" onClick={() => setDraft(memory.content)}>
          {t("library.memory.edit")}
        </Button>
        <Button kind="quiet" onClick={() => act.mutate(() => api.deleteMemory(memory.id))}>
          {t("library.memory.forget")}
        </Button>
      </div>
    </li>
  );
}

/** Where a memory came from. */
function Origin({ memory }: { memory: Memory }) {
  const { t } = useTranslation();
  if (memory.conversation_id === null) {
    const origin = memory.message_id === null ? "written" : "fromGone";
    return <p className="text-sm text-soft">{t(`library.memory.${origin}`)}</p>;
  }
  const title = memory.conversation_title ?? t("library.memory.untitled");
  return (
    <Link to={`/chat/${memory.conversation_id}`} className="text-sm text-soft underline">
      {t("library.memory.from", { title })}
    </Link>
  );
}
