import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "react-router";
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
  const cards = [...(models?.items ?? []), ...(models?.embedding ? [models.embedding] : [])];
  return cards.some(({ state }) => MOVING.has(state)) ? 1_000 : false;
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
      {models.data?.embedding ? (
        <Group
          id="documents"
          title={t("models.documents")}
          text={t("models.documentsText")}
          cards={[models.data.embedding]}
        />
      ) : null}
      {isAdministrator(person) ? <ImportCard /> : null}
      {person.role === "owner" ? <RemoteModels /> : null}
    </Page>
  );
}

interface GroupProps {
  id?: string;
  title: string;
  text?: string;
  cards: ModelCard[];
}

/** Models of one sort; an address that ends in its `id` shows it. */
function Group({ id, title, text, cards }: GroupProps) {
  const { hash } = useLocation();
  const isMeant = id !== undefined && hash === `#${id}`;
  const show = useCallback(
    (section: HTMLElement | null) => {
      if (isMeant) section?.scrollIntoView({ block: "start" });
    },
    [isMeant],
  );
  if (cards.length === 0) return null;
  return (
    <section id={id} ref={show} className="grid gap-3">
      <h2 className="text-lg font-semibold">{title}</h2>
      {text ? <p className="max-w-prose text-soft">{text}</p> : null}
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
