import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useApi } from "@/api/context";
import type { Assistant, NewAssistant } from "@/api/library-types";
import { ProblemNote } from "@/components/problem";
import { useToast } from "@/components/toasts";
import { Button, buttonLook } from "@/components/ui/button";
import { Card, Skeleton } from "@/components/ui/card";
import { LibraryFrame } from "../knowledge/library-frame";
import { AssistantEditor } from "./assistant-editor";
import { Avatar } from "./avatar";
import { useAssistants } from "./use-assistants";

const TEMPLATES = [
  "household_helper",
  "homework_coach",
  "letter_writer",
  "document_expert",
] as const;

function useAssistantAct() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (work: () => Promise<unknown>) => work(),
    onSettled: () => queries.invalidateQueries({ queryKey: ["assistants"] }),
  });
}

export function AssistantsPage() {
  const api = useApi();
  const { t } = useTranslation();
  const act = useAssistantAct();
  const [edited, setEdited] = useState<string | null>(null);
  const assistants = useAssistants();
  const make = (body: NewAssistant): void =>
    act.mutate(() => api.createAssistant(body).then(({ id }) => setEdited(id)));
  return (
    <LibraryFrame wide={edited !== null}>
      <Card title={t("library.assistant.templates")}>
        <div className="flex flex-wrap gap-2">
          {TEMPLATES.map((template) => (
            <Button
              key={template}
              onClick={() =>
                make({
                  template,
                  name: t(`library.assistant.template.${template}`),
                  description: t(`library.assistant.templateFor.${template}`),
                  starters: t(`library.assistant.templateStarters.${template}`).split("\n"),
                })
              }
            >
              {t(`library.assistant.template.${template}`)}
            </Button>
          ))}
          <Button kind="primary" onClick={() => make({ name: t("library.assistant.new") })}>
            {t("library.assistant.new")}
          </Button>
        </div>
      </Card>
      <ProblemNote error={assistants.error ?? act.error} />
      {assistants.isPending ? <Skeleton rows={3} /> : null}
      {assistants.data?.length === 0 ? <p>{t("library.assistant.empty")}</p> : null}
      <ul aria-label={t("library.assistant.own")} className="grid gap-3">
        {(assistants.data ?? []).map((assistant) =>
          assistant.id === edited ? (
            <li key={assistant.id}>
              <AssistantEditor assistant={assistant} onDone={() => setEdited(null)} />
            </li>
          ) : (
            <AssistantCard
              key={assistant.id}
              assistant={assistant}
              onEdit={() => setEdited(assistant.id)}
            />
          ),
        )}
      </ul>
      <Deleted />
    </LibraryFrame>
  );
}

function AssistantCard({ assistant, onEdit }: { assistant: Assistant; onEdit: () => void }) {
  const api = useApi();
  const { t } = useTranslation();
  const toast = useToast();
  const act = useAssistantAct();
  const { id, name } = assistant;
  const leave = (): void =>
    act.mutate(() => api.deleteAssistant(id), {
      onSuccess: () =>
        toast(t("library.assistant.deleted", { name }), () =>
          act.mutate(() => api.restoreAssistant(id)),
        ),
    });
  return (
    <li className="grid gap-3 rounded-card border border-line bg-surface p-4">
      <div className="flex items-start gap-3">
        <Avatar name={assistant.avatar} />
        <div className="min-w-0">
          <h2 className="font-medium break-words">{name}</h2>
          <p className="text-sm text-soft">
            {[assistant.description, t(`library.${assistant.visibility}`)]
              .filter(Boolean)
              .join(" · ")}
          </p>
        </div>
      </div>
      <ProblemNote error={act.error} />
      <div className="flex flex-wrap gap-1">
        <Link
          to={`/chat?assistant=${encodeURIComponent(id)}`}
          aria-label={t("library.assistant.chatWith", { name })}
          className={buttonLook("plain")}
        >
          {t("library.assistant.chat")}
        </Link>
        {assistant.mine ? (
          <Button kind="quiet" onClick={onEdit}>
            {t("library.assistant.edit")}
          </Button>
        ) : null}
        <Button
          kind="quiet"
          onClick={() =>
            act.mutate(() =>
              api.duplicateAssistant(id, t("library.assistant.copyName", { name }).slice(0, 64)),
            )
          }
        >
          {t("library.assistant.copy")}
        </Button>
        {assistant.mine ? (
          <Button kind="quiet" onClick={leave}>
            {t("library.assistant.delete")}
          </Button>
        ) : null}
      </div>
    </li>
  );
}

/** What was deleted and can be had back. */
function Deleted() {
  const api = useApi();
  const { t } = useTranslation();
  const act = useAssistantAct();
  const deleted = useQuery({
    queryKey: ["assistants", "deleted"],
    queryFn: async () => (await api.listAssistants({ deleted: true })).items,
  });
  if (!deleted.data?.length) return null;
  return (
    <Card title={t("library.assistant.deletedTitle")}>
      <ul className="grid gap-2">
        {deleted.data.map(({ id, name }) => (
          <li key={id} className="flex flex-wrap items-center justify-between gap-2">
            {name}
            <Button kind="quiet" onClick={() => act.mutate(() => api.restoreAssistant(id))}>
              {t("library.assistant.restore")}
            </Button>
          </li>
        ))}
      </ul>
    </Card>
  );
}
