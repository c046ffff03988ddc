import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { Download, ModelCard } from "@/api/types";
import { ModelFacts } from "@/components/model-facts";
import { duration, size } from "@/components/numbers";
import { ProblemNote } from "@/components/problem";
import { useToast } from "@/components/toasts";
import { Confirm } from "@/components/confirm";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/card";
import { boxWords } from "@/i18n/box-words";
import { isAdministrator, usePerson } from "@/layout/person";

export function ModelRow({ card }: { card: ModelCard }) {
  const { t } = useTranslation();
  const person = usePerson();
  return (
    <li className="grid content-start gap-3 rounded-card border border-line bg-surface p-5">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h3 className="text-lg font-semibold">{card.title}</h3>
        <span className="text-sm font-medium text-accent">
          {card.is_default ? t("models.default") : card.recommended ? t("models.recommended") : ""}
        </span>
      </div>
      <p>{boxWords(card.description)}</p>
      <ModelFacts card={card} />
      <p className="text-sm text-soft">
        {card.fit === "good" ? "" : `${boxWords(card.fit_reason)} `}
        {t("models.licence", { licence: card.licence })}
      </p>
      {card.is_demo ? <Notice>{t("demo.text")}</Notice> : null}
      {card.download ? <Progress download={card.download} /> : null}
      {isAdministrator(person) ? <Actions card={card} /> : null}
    </li>
  );
}

function Progress({ download }: { download: Download }) {
  const { t } = useTranslation();
  const share = download.total_bytes === 0 ? 0 : download.received_bytes / download.total_bytes;
  const left = download.seconds_left;
  return (
    <div className="grid gap-1 text-sm">
      <progress className="w-full" value={share} aria-label={t("models.progress")} />
      <p className="text-soft">
        {t(`models.download.${download.state}`)} · {size(download.received_bytes)} /{" "}
        {size(download.total_bytes)}
        {download.bytes_per_second > 0 ? ` · ${size(download.bytes_per_second)}/s` : ""}
        {left === null ? "" : ` · ${t("models.left", { time: duration(left) })}`}
      </p>
      {download.error ? (
        <Notice tone="trouble">
          <p>{boxWords(download.error.message)}</p>
          <p>{boxWords(download.error.hint)}</p>
        </Notice>
      ) : null}
    </div>
  );
}

function Actions({ card }: { card: ModelCard }) {
  const api = useApi();
  const { t } = useTranslation();
  const toast = useToast();
  const queries = useQueryClient();
  const [isSure, setSure] = useState(false);
  const act = useMutation({
    mutationFn: (work: () => Promise<unknown>) => work(),
    onSettled: () => queries.invalidateQueries({ queryKey: ["models"] }),
  });
  const run = (work: () => Promise<unknown>) => () => act.mutate(work);
  const verify = async (): Promise<void> => {
    const result = await api.verifyModel(card.id);
    toast(result.ok ? t("models.verified", { model: card.title }) : result.reason);
  };
  const buttons: Record<ModelCard["state"], [string, () => Promise<unknown>][]> = {
    available: [[t("models.get"), () => api.downloadModel(card.id)]],
    failed: [[t("tryAgain"), () => api.downloadModel(card.id)]],
    damaged: [[t("models.getAgain"), () => api.downloadModel(card.id)]],
    downloading: [
      [t("models.pause"), () => api.pauseDownload(card.id)],
      [t("cancel"), () => api.cancelDownload(card.id)],
    ],
    paused: [
      [t("models.resume"), () => api.resumeDownload(card.id)],
      [t("cancel"), () => api.cancelDownload(card.id)],
    ],
    installed: [
      ...(card.is_default || card.role === "embedding"
        ? []
        : [
            [t("models.use"), () => api.setDefaultModel({ model_id: card.id })] as [
              string,
              () => Promise<unknown>,
            ],
          ]),
      [t("models.verify"), verify],
    ],
  };
  const canRemove = (card.state === "installed" || card.state === "damaged") && !card.is_demo;
  return (
    <div className="grid gap-2">
      <ProblemNote error={act.error} />
      <div className="flex flex-wrap gap-2">
        {card.fit === "too_large" && card.state === "available"
          ? null
          : buttons[card.state].map(([name, work]) => (
              <Button
                key={name}
                kind={card.recommended && card.state === "available" ? "primary" : "plain"}
                busy={act.isPending}
                onClick={run(work)}
              >
                {name}
              </Button>
            ))}
        {canRemove && !isSure ? (
          <Button kind="danger" onClick={() => setSure(true)}>
            {t("models.remove")}
          </Button>
        ) : null}
      </div>
      {isSure ? (
        <Confirm
          text={t("models.sure", { model: card.title, size: size(card.size_bytes) })}
          action={t("models.removeNow")}
          busy={act.isPending}
          onConfirm={run(() => api.removeModel(card.id))}
          onCancel={() => setSure(false)}
        />
      ) : null}
    </div>
  );
}
