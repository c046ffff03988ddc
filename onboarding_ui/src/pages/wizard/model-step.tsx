import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { ModelCard } from "@/api/types";
import { ModelFacts } from "@/components/model-facts";
import { size } from "@/components/numbers";
import { ProblemNote } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/card";
import { boxWords } from "@/i18n/box-words";
import type { StepProps } from "./wizard";

const SHOWN = 4;

/** What this machine could run, the best of it first; whoever decides later starts with what is on board. */
export function ModelStep({ state, onDone }: StepProps) {
  const api = useApi();
  const { t } = useTranslation();
  const listing = useQuery({
    queryKey: ["onboarding", "models"],
    queryFn: () => api.listOnboardingModels(),
  });
  const cards = (listing.data?.items ?? []).filter((card) => card.fit !== "too_large");
  const onBoard = cards.find((card) => card.state === "installed");
  const [picked, setPicked] = useState<string | null>(state.model_id ?? null);
  const recommended = cards.find((card) => card.recommended);
  const chosen = cards.find((card) => card.id === picked) ?? recommended ?? onBoard ?? cards[0];
  const save = useMutation({
    mutationFn: (card: ModelCard) =>
      api.setOnboardingModel({ model_id: card.id, download: card.state !== "installed" }),
    onSuccess: onDone,
  });
  if (listing.error) return <ProblemNote error={listing.error} />;
  if (!listing.data) return <Skeleton rows={3} />;
  const order = [...cards].sort((a, b) => rank(b) - rank(a)).slice(0, SHOWN);
  return (
    <div className="grid gap-4">
      <p className="text-sm text-soft">{listing.data.hardware.summary}</p>
      <fieldset className="grid gap-3">
        <legend className="sr-only">{t("wizard.model.title")}</legend>
        {order.map((card) => (
          <Choice
            key={card.id}
            card={card}
            checked={card.id === chosen?.id}
            onChoose={() => setPicked(card.id)}
          />
        ))}
      </fieldset>
      {chosen && chosen.state !== "installed" ? (
        <WithIt embedding={listing.data.embedding} />
      ) : null}
      <ProblemNote error={save.error} />
      <div className="sticky bottom-0 -mx-2 grid gap-1 bg-surface px-2 pt-2 pb-[max(0.5rem,env(safe-area-inset-bottom))]">
        {chosen ? (
          <Button kind="primary" busy={save.isPending} onClick={() => save.mutate(chosen)}>
            {t("next")}
          </Button>
        ) : null}
        {onBoard && chosen?.id !== onBoard.id ? (
          <Button kind="quiet" onClick={() => save.mutate(onBoard)}>
            {t("wizard.model.later")}
          </Button>
        ) : null}
      </div>
    </div>
  );
}

/** What is fetched along with the chosen model. */
function WithIt({ embedding }: { embedding: ModelCard | null }) {
  const { t } = useTranslation();
  if (embedding === null || embedding.state === "installed") return null;
  return (
    <p className="text-sm text-soft">
      {t("wizard.model.withIt", { model: embedding.title, size: size(embedding.size_bytes) })}
    </p>
  );
}

function rank(card: ModelCard): number {
  return (
    (card.recommended ? 4 : 0) +
    (card.state === "installed" ? 2 : 0) +
    (card.fit === "good" ? 1 : 0)
  );
}

function Choice({
  card,
  checked,
  onChoose,
}: {
  card: ModelCard;
  checked: boolean;
  onChoose: () => void;
}) {
  const { t } = useTranslation();
  return (
    <label
      className={`grid cursor-pointer gap-1 rounded-card border p-4 focus-within:outline-2 focus-within:outline-accent ${checked ? "border-accent" : "border-line"}`}
    >
      <span className="flex items-center justify-between gap-2">
        <span className="flex items-center gap-2 font-medium">
          <input
            type="radio"
            name="model"
            checked={checked}
            onChange={onChoose}
            className="size-4.5"
          />
          {card.title}
        </span>
        <span className="text-sm text-accent">
          {card.recommended ? t("models.recommended") : ""}
        </span>
      </span>
      <span className="text-sm">{boxWords(card.description)}</span>
      <ModelFacts card={card} />
    </label>
  );
}
