import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useApi } from "@/api/context";
import type { Box } from "@/api/types";
import { Lamp } from "@/components/lamp";
import { rounded, size, timeOfDay } from "@/components/numbers";
import { ProblemNote } from "@/components/problem";
import { buttonLook } from "@/components/ui/button";
import { Card, Notice, Skeleton } from "@/components/ui/card";
import { boxWords } from "@/i18n/box-words";
import { lampOf, useBox } from "@/layout/box-state";
import { useHealth } from "@/layout/health-state";
import { isAdministrator, usePerson } from "@/layout/person";
import { Page } from "../page";
import { AddressCard } from "./address-card";
import { CertificateCard } from "./certificate-card";
import { HealthBrief } from "./health-brief";
import { NameCard } from "./name-card";
import { SpeedNote } from "./speed-note";
import { SshCard } from "./ssh-card";
import { UpdatesBrief } from "./updates-brief";

const WORDS_PER_TOKEN = 0.75;

export function BoxPage() {
  const { t } = useTranslation();
  const person = usePerson();
  const box = useBox();
  return (
    <Page title={box.data?.name ?? t("areas.box")} hasLamp={box.data !== undefined}>
      <ProblemNote error={box.error} />
      {box.data ? (
        <>
          <StateCard box={box.data} />
          <HealthBrief />
          <ModelCard box={box.data} />
          {isAdministrator(person) ? <UpdatesBrief /> : null}
          <AddressCard box={box.data} />
          <CertificateCard box={box.data} />
          <HardwareCard box={box.data} />
          {isAdministrator(person) ? <NameCard key={box.data.name} box={box.data} /> : null}
          {person.role === "owner" ? <SshCard box={box.data} /> : null}
        </>
      ) : box.error ? null : (
        <Skeleton rows={6} />
      )}
    </Page>
  );
}

function StateCard({ box }: { box: Box }) {
  const { t } = useTranslation();
  const { engine } = box;
  const { data: health } = useHealth();
  const lamp = lampOf(box, health);
  const isBusy = engine.state === "ready" && lamp === "working";
  const says =
    engine.state !== "ready"
      ? t(`box.engine.${engine.state}`)
      : t(`lamp.${isBusy ? "well" : lamp}`);
  return (
    <Card>
      <div className="flex items-center gap-5 p-1">
        <Lamp state={lamp} size={34} />
        <div>
          <p className="font-serif text-2xl">{says}</p>
          {isBusy ? (
            <p className="text-soft">{t("box.answering", { count: engine.active })}</p>
          ) : null}
        </div>
      </div>
      {box.name_conflict || engine.last_error ? (
        <div className="mt-4 grid gap-3">
          {box.name_conflict ? <Notice>{box.name_conflict}</Notice> : null}
          {engine.state !== "ready" && engine.last_error ? (
            <Notice tone="trouble">{engine.last_error}</Notice>
          ) : null}
        </div>
      ) : null}
      {box.ssh_open_until === null ? null : (
        <p className="mt-4 text-soft">{t("ssh.open", { time: timeOfDay(box.ssh_open_until) })}</p>
      )}
      <Figures box={box} />
    </Card>
  );
}

function Figures({ box }: { box: Box }) {
  const { t } = useTranslation();
  const speed = box.engine.speed.decode_tokens_per_second;
  const figures: [string, string][] = [
    [t("box.speed"), speed ? rounded(speed * WORDS_PER_TOKEN) : "–"],
    [t("box.memoryFree"), size(box.memory.available_bytes)],
    [t("box.diskFree"), size(box.storage.free_bytes)],
    [t("box.version"), box.version],
  ];
  return (
    <dl className="mt-5 grid grid-cols-2 gap-4 sm:grid-cols-4">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt className="text-sm text-soft">{name}</dt>
          <dd className="text-xl font-semibold">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function ModelCard({ box }: { box: Box }) {
  const api = useApi();
  const { t } = useTranslation();
  const models = useQuery({ queryKey: ["models"], queryFn: () => api.listModels() });
  const loaded = models.data?.items.find(({ id }) => id === box.engine.model_id);
  return (
    <Card title={t("box.mind")}>
      <div className="flex flex-wrap items-center justify-between gap-3">
        <div className="min-w-0">
          <p className="font-medium">{loaded?.title ?? box.engine.model_id ?? t("box.noModel")}</p>
          {loaded ? <p className="text-soft">{boxWords(loaded.description)}</p> : null}
          <SpeedNote modelId={box.engine.model_id} />
        </div>
        <Link to="/box/models" className={buttonLook("plain")}>
          {t("models.choose")}
        </Link>
      </div>
    </Card>
  );
}

function HardwareCard({ box }: { box: Box }) {
  const api = useApi();
  const { t } = useTranslation();
  const hardware = useQuery({ queryKey: ["hardware"], queryFn: () => api.getHardware() });
  if (!hardware.data) return null;
  return (
    <Card title={t("box.hardware")}>
      <p>{hardware.data.summary}</p>
      <p className="text-soft">{hardware.data.profile.reason}</p>
      {box.serial ? (
        <p className="mt-2 text-sm text-soft">{t("box.serial", { serial: box.serial })}</p>
      ) : null}
    </Card>
  );
}
