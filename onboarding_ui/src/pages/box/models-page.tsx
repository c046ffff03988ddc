import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { ModelCard, ModelList } from "@/api/types";
import { ProblemNote } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Card, Skeleton } from "@/components/ui/card";
import { Field } from "@/components/ui/field";
import { isAdministrator, usePerson } from "@/layout/person";
import { Page } from "../page";
import { ModelRow } from "./model-row";
import { RemoteModels } from "./remote-models";
import { SpeedNote } from "./speed-note";

const MOVING = new Set(["downloading"]);

function refreshEvery(models: ModelList | undefined): number | false {
  return models?.items.some(({ state }) => MOVING.has(state)) === true ? 1_000 : false;
}

export function ModelsPage() {
  const api = useApi();
  const { t } = useTranslation();
  const person = usePerson();
  const models = useQuery({
    queryKey: ["models"],
    queryFn: () => api.listModels(),
    refetchInterval: (query) => refreshEvery(query.state.data),
  });
  const items = models.data?.items ?? [];
  const onBoard = items.filter(({ state }) => state === "installed" || state === "damaged");
  const others = items.filter((card) => !onBoard.includes(card));
  return (
    <Page title={t("models.title")}>
      <ProblemNote error={models.error} />
      {models.isPending ? <Skeleton rows={5} /> : null}
      <Group title={t("models.onBoard")} cards={onBoard} />
      <SpeedNote modelId={null} />
      <Group title={t("models.catalogue")} cards={others} />
      {isAdministrator(person) ? <ImportCard /> : null}
      {person.role === "owner" ? <RemoteModels /> : null}
    </Page>
  );
}

function Group({ title, cards }: { title: string; cards: ModelCard[] }) {
  if (cards.length === 0) return null;
  return (
    <section className="grid gap-3">
      <h2 className="text-lg font-semibold">{title}</h2>
      <ul className="grid gap-3 sm:grid-cols-2">
        {cards.map((card) => (
          <ModelRow key={card.id} card={card} />
        ))}
      </ul>
    </section>
  );
}

function ImportCard() {
  const api = useApi();
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [path, setPath] = useState("");
  const take = useMutation({
    mutationFn: () => api.importModel({ path }),
    onSuccess: () => {
      setPath("");
      return queries.invalidateQueries({ queryKey: ["models"] });
    },
  });
  return (
    <Card title={t("models.import")}>
      <form
        className="grid max-w-lg gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          take.mutate();
        }}
      >
        <Field
          label={t("models.path")}
          value={path}
          placeholder="/media/usb/model.gguf"
          hint={t("models.pathHint")}
          onChange={(event) => setPath(event.target.value)}
        />
        <ProblemNote error={take.error} />
        <Button type="submit" busy={take.isPending} disabled={path.trim() === ""}>
          {t("models.importGo")}
        </Button>
      </form>
    </Card>
  );
}
