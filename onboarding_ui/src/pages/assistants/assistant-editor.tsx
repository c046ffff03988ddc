import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { Assistant, ChangeAssistant } from "@/api/library-types";
import { ProblemNote } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Field, inputLook } from "@/components/ui/field";
import { AvatarChoice } from "./avatar-choice";
import { TrialChat } from "./trial-chat";

interface Props {
  assistant: Assistant;
  onDone: () => void;
}

/** Everything that an assistant is made of, and beside it a talk with what it would be. */
export function AssistantEditor({ assistant, onDone }: Props) {
  const api = useApi();
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [draft, setDraft] = useState<Assistant>(assistant);
  const put = (change: Partial<Assistant>): void => setDraft({ ...draft, ...change });
  const save = useMutation({
    mutationFn: (body: ChangeAssistant) => api.updateAssistant(assistant.id, body),
    onSuccess: () => {
      onDone();
      return queries.invalidateQueries({ queryKey: ["assistants"] });
    },
  });
  const submit = (): void => {
    const { name, avatar, description, instructions, visibility, model_id, temperature } = draft;
    const { max_tokens, starters, uses_knowledge, file_ids, is_narrowed } = draft;
    const texts = {
      name,
      avatar,
      description,
      instructions,
      visibility,
      starters: starters.filter(Boolean),
    };
    const looks = { uses_knowledge, file_ids, is_narrowed };
    save.mutate({ ...texts, model_id, temperature, max_tokens, ...looks });
  };
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-5 lg:grid-cols-[repeat(2,minmax(0,1fr))]">
      <Card title={draft.name}>
        <form
          className="grid gap-4"
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
        >
          <Fields draft={draft} put={put} />
          <ProblemNote error={save.error} />
          <div className="flex flex-wrap gap-2">
            <Button
              kind="primary"
              type="submit"
              busy={save.isPending}
              disabled={!draft.name.trim()}
            >
              {t("save")}
            </Button>
            <Button onClick={onDone}>{t("cancel")}</Button>
          </div>
        </form>
      </Card>
      <TrialChat draft={draft} />
    </div>
  );
}

interface FieldsProps {
  draft: Assistant;
  put: (change: Partial<Assistant>) => void;
}

function Fields({ draft, put }: FieldsProps) {
  return (
    <>
      <Words draft={draft} put={put} />
      <Ways draft={draft} put={put} />
    </>
  );
}

/** What it is called and what it is told. */
function Words({ draft, put }: FieldsProps) {
  const { t } = useTranslation();
  return (
    <>
      <Field
        label={t("library.assistant.name")}
        value={draft.name}
        maxLength={64}
        onChange={(event) => put({ name: event.target.value })}
      />
      <AvatarChoice chosen={draft.avatar} onChoose={(avatar) => put({ avatar })} />
      <Field
        label={t("library.assistant.description")}
        value={draft.description}
        maxLength={200}
        onChange={(event) => put({ description: event.target.value })}
      />
      <Area
        label={t("library.assistant.instructions")}
        value={draft.instructions}
        onChange={(instructions) => put({ instructions })}
      />
    </>
  );
}

/** How it answers, from what, and for whom. */
function Ways({ draft, put }: FieldsProps) {
  const { t } = useTranslation();
  return (
    <>
      <ModelChoice chosen={draft.model_id} onChoose={(model_id) => put({ model_id })} />
      <Field
        label={t("library.assistant.temperature")}
        hint={t("library.assistant.temperatureHint")}
        type="number"
        min={0}
        max={2}
        step={0.1}
        value={draft.temperature ?? ""}
        onChange={(event) => put({ temperature: numberOf(event.target.value) })}
      />
      <Field
        label={t("library.assistant.longest")}
        type="number"
        min={16}
        max={32768}
        value={draft.max_tokens ?? ""}
        onChange={(event) => put({ max_tokens: numberOf(event.target.value) })}
      />
      <Area
        label={t("library.assistant.starters")}
        value={draft.starters.join("\n")}
        onChange={(text) => put({ starters: text.split("\n").slice(0, 8) })}
      />
      <FilesChoice draft={draft} put={put} />
      <Choice label={t("library.assistant.visibility")}>
        {(id) => (
          <select
            id={id}
            className={inputLook}
            value={draft.visibility}
            onChange={(event) =>
              put({ visibility: event.target.value === "household" ? "household" : "private" })
            }
          >
            <option value="private">{t("library.private")}</option>
            <option value="household">{t("library.household")}</option>
          </select>
        )}
      </Choice>
    </>
  );
}

function numberOf(text: string): number | null {
  return text === "" || Number.isNaN(Number(text)) ? null : Number(text);
}

function Choice({ label, children }: { label: string; children: (id: string) => ReactNode }) {
  const id = useId();
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      {children(id)}
    </div>
  );
}

interface AreaProps {
  label: string;
  value: string;
  onChange: (text: string) => void;
}

function Area({ label, value, onChange }: AreaProps) {
  return (
    <Choice label={label}>
      {(id) => (
        <textarea
          id={id}
          rows={4}
          value={value}
          maxLength={8000}
          onChange={(event) => onChange(event.target.value)}
          className={inputLook}
        />
      )}
    </Choice>
  );
}

interface ModelProps {
  chosen: string | null;
  onChoose: (id: string | null) => void;
}

/** The models that this box knows, with a word where it is too small for one. */
function ModelChoice({ chosen, onChoose }: ModelProps) {
  const api = useApi();
  const { t } = useTranslation();
  const models = useQuery({ queryKey: ["models"], queryFn: () => api.listModels() });
  const items = models.data?.items ?? [];
  const card = items.find(({ id }) => id === chosen);
  return (
    <>
      <Choice label={t("library.assistant.model")}>
        {(id) => (
          <select
            id={id}
            className={inputLook}
            value={chosen ?? ""}
            onChange={(event) => onChoose(event.target.value === "" ? null : event.target.value)}
          >
            <option value="">{t("library.assistant.usual")}</option>
            {items.map((model) => (
              <option key={model.id} value={model.id}>
                {model.title}
              </option>
            ))}
          </select>
        )}
      </Choice>
      {card?.fit === "too_large" ? (
        <p className="text-sm">{t("library.assistant.tooSmall")}</p>
      ) : null}
    </>
  );
}

/** Whether it looks into documents, and into which. */
function FilesChoice({ draft, put }: FieldsProps) {
  const api = useApi();
  const { t } = useTranslation();
  const files = useQuery({
    queryKey: ["knowledge", ""],
    queryFn: async () => (await api.listFiles({})).items,
  });
  const chosen = new Set(draft.file_ids);
  const toggle = (id: string): void => {
    const next = chosen.has(id) ? draft.file_ids.filter((one) => one !== id) : [...chosen, id];
    put({ file_ids: next, is_narrowed: next.length > 0 });
  };
  const looksNowhere = draft.is_narrowed && draft.file_ids.length === 0;
  return (
    <fieldset className="grid gap-2">
      <label className="flex min-h-11 items-center gap-3">
        <input
          type="checkbox"
          className="size-5 accent-accent"
          checked={draft.uses_knowledge}
          onChange={(event) => put({ uses_knowledge: event.target.checked })}
        />
        {t("library.assistant.knowledge")}
      </label>
      {draft.uses_knowledge && looksNowhere ? (
        <div className="grid justify-items-start gap-2">
          <p className="text-sm">{t("library.assistant.filesGone")}</p>
          <Button onClick={() => put({ is_narrowed: false })}>
            {t("library.assistant.lookEverywhere")}
          </Button>
        </div>
      ) : null}
      {draft.uses_knowledge && files.data?.length ? (
        <>
          <legend className="text-sm font-medium">{t("library.assistant.files")}</legend>
          {files.data.map(({ id, name }) => (
            <label key={id} className="flex min-h-11 items-center gap-3">
              <input
                type="checkbox"
                className="size-5 accent-accent"
                checked={chosen.has(id)}
                onChange={() => toggle(id)}
              />
              <span className="min-w-0 break-words">{name}</span>
            </label>
          ))}
        </>
      ) : null}
    </fieldset>
  );
}
