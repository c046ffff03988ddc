import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { CopyButton } from "@/components/copy-button";
import { ProblemNote } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Field } from "@/components/ui/field";

/** Keys for programs; each is shown once. */
export function KeysCard() {
  const api = useApi();
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const keys = useQuery({ queryKey: ["api-keys"], queryFn: () => api.listApiKeys() });
  const refresh = () => queries.invalidateQueries({ queryKey: ["api-keys"] });
  const make = useMutation({
    mutationFn: () => api.createApiKey({ name }),
    onSuccess: () => {
      setName("");
      return refresh();
    },
  });
  const end = useMutation({ mutationFn: (id: string) => api.revokeApiKey(id), onSettled: refresh });
  return (
    <Card title={t("keys.title")}>
      <p className="mb-3 text-soft">{t("keys.help", { url: `${location.origin}/v1` })}</p>
      <form
        className="grid items-end gap-3 sm:grid-cols-[20rem_auto] sm:justify-start"
        onSubmit={(event) => {
          event.preventDefault();
          make.mutate();
        }}
      >
        <Field
          label={t("keys.name")}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <Button type="submit" busy={make.isPending} disabled={name.trim() === ""}>
          {t("keys.make")}
        </Button>
      </form>
      <ProblemNote error={make.error ?? end.error} />
      {make.data ? (
        <div className="mt-4 grid justify-items-start gap-3 rounded-control bg-tint p-4">
          <p>{t("keys.once")}</p>
          <output aria-label={t("keys.key")} className="font-mono text-sm select-all">
            {make.data.key}
          </output>
          <CopyButton text={make.data.key} label={t("keys.copy")} isNamed />
        </div>
      ) : null}
      <ul className="mt-4 grid gap-2 empty:hidden">
        {(keys.data?.items ?? []).map((key) => (
          <li key={key.id} className="flex flex-wrap items-center justify-between gap-2">
            <span>
              {key.name} <span className="font-mono text-sm text-soft">{key.prefix}…</span>
            </span>
            <Button kind="quiet" onClick={() => end.mutate(key.id)}>
              {t("keys.end")}
            </Button>
          </li>
        ))}
      </ul>
    </Card>
  );
}
