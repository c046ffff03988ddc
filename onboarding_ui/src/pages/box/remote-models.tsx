import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { RemoteModel } from "@/api/types";
import { ProblemNote } from "@/components/problem";
import { useToast } from "@/components/toasts";
import { Button } from "@/components/ui/button";
import { Card, Notice } from "@/components/ui/card";
import { Field } from "@/components/ui/field";

const EMPTY = { title: "", base_url: "", model: "", key: "" };

/** Models elsewhere: only the owner sees this, and nothing leaves the box until one is added. */
export function RemoteModels() {
  const api = useApi();
  const { t } = useTranslation();
  const models = useQuery({ queryKey: ["remote-models"], queryFn: () => api.listRemoteModels() });
  const items = models.data?.items ?? [];
  return (
    <Card title={t("models.elsewhere.title")}>
      <p className="text-soft">{t("models.elsewhere.text")}</p>
      <ProblemNote error={models.error} />
      <ul className="grid gap-3">
        {items.map((model) => (
          <Row key={model.id} model={model} />
        ))}
      </ul>
      <AddForm />
    </Card>
  );
}

function Row({ model }: { model: RemoteModel }) {
  const api = useApi();
  const { t } = useTranslation();
  const toast = useToast();
  const queries = useQueryClient();
  const act = useMutation({
    mutationFn: (work: () => Promise<unknown>) => work(),
    onSettled: () => queries.invalidateQueries({ queryKey: ["remote-models"] }),
  });
  const check = async (): Promise<void> => {
    const { ok } = await api.checkRemoteModel(model.id);
    toast(t(ok ? "models.elsewhere.answers" : "models.elsewhere.missing", { model: model.title }));
  };
  return (
    <li className="grid gap-2 rounded-card border border-line p-4">
      <h3 className="font-semibold">{model.title}</h3>
      <p className="text-sm text-soft wrap-anywhere">
        {t("models.elsewhere.at", { host: model.host, model: model.model })}
        {model.enabled ? "" : ` · ${t("models.elsewhere.off")}`}
      </p>
      <ProblemNote error={act.error} />
      <div className="flex flex-wrap gap-2">
        <Button busy={act.isPending} onClick={() => act.mutate(check)}>
          {t("models.elsewhere.check")}
        </Button>
        <Button
          busy={act.isPending}
          onClick={() =>
            act.mutate(() => api.changeRemoteModel(model.id, { enabled: !model.enabled }))
          }
        >
          {t(model.enabled ? "models.elsewhere.switchOff" : "models.elsewhere.switchOn")}
        </Button>
        <Button
          kind="danger"
          busy={act.isPending}
          onClick={() => act.mutate(() => api.removeRemoteModel(model.id))}
        >
          {t("models.elsewhere.forget")}
        </Button>
      </div>
    </li>
  );
}

function AddForm() {
  const api = useApi();
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [values, setValues] = useState(EMPTY);
  const [isPrivate, setPrivate] = useState(false);
  const add = useMutation({
    mutationFn: () =>
      api.addRemoteModel({
        ...values,
        key: values.key === "" ? null : values.key,
        allow_private: isPrivate,
      }),
    onSuccess: () => {
      setValues(EMPTY);
      setPrivate(false);
      return queries.invalidateQueries({ queryKey: ["remote-models"] });
    },
  });
  const field = (name: keyof typeof EMPTY) => ({
    label: t(`models.elsewhere.${name === "title" ? "name" : name}`),
    value: values[name],
    onChange: (event: { target: { value: string } }) =>
      setValues({ ...values, [name]: event.target.value }),
  });
  const isReady = values.title !== "" && values.base_url.length > 7 && values.model !== "";
  return (
    <details>
      <summary className="min-h-11 cursor-pointer content-center font-medium">
        {t("models.elsewhere.add")}
      </summary>
      <form
        className="mt-3 grid max-w-lg gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate();
        }}
      >
        <Notice>{t("models.elsewhere.leaves")}</Notice>
        <Field {...field("title")} maxLength={64} />
        <Field {...field("base_url")} placeholder="https://api.example.org/v1" inputMode="url" />
        <Field {...field("model")} maxLength={128} />
        <Field {...field("key")} type="password" autoComplete="off" />
        <label className="flex min-h-11 items-center gap-3">
          <input
            type="checkbox"
            className="size-5 accent-accent"
            checked={isPrivate}
            onChange={(event) => setPrivate(event.target.checked)}
          />
          {t("models.elsewhere.private")}
        </label>
        <ProblemNote error={add.error} />
        <Button kind="primary" type="submit" busy={add.isPending} disabled={!isReady}>
          {t("models.elsewhere.addNow")}
        </Button>
      </form>
    </details>
  );
}
