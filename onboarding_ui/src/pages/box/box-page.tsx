import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useApi } from "@/api/context";
import type { Box } from "@/api/types";
import { Lamp } from "@/components/lamp";
import { rounded, size } from "@/components/numbers";
import { ProblemNote } from "@/components/problem";
import { Qr } from "@/components/qr";
import { Button } from "@/components/ui/button";
import { Card, Notice, Skeleton } from "@/components/ui/card";
import { Field } from "@/components/ui/field";
import { isAdministrator, usePerson } from "@/layout/person";
import { Page } from "../page";

export function BoxPage() {
  const api = useApi();
  const { t } = useTranslation();
  const box = useQuery({ queryKey: ["box"], queryFn: () => api.getBox() });
  return (
    <Page title={t("areas.box")}>
      <ProblemNote error={box.error} />
      {box.data ? <Facts box={box.data} /> : box.error ? null : <Skeleton rows={6} />}
    </Page>
  );
}

function Facts({ box }: { box: Box }) {
  const { t } = useTranslation();
  const isWell = box.engine.state === "ready" && !box.name_conflict;
  return (
    <>
      <Card>
        <div className="flex items-center gap-5">
          <Lamp
            state={isWell ? "well" : box.engine.state === "failed" ? "trouble" : "working"}
            size={34}
          />
          <p className="font-serif text-2xl">
            {isWell ? t("box.well") : t(`box.engine.${box.engine.state}`)}
          </p>
        </div>
        {box.name_conflict ? <Notice>{box.name_conflict}</Notice> : null}
        <Figures box={box} />
      </Card>
      <Card title={t("box.found")}>
        <div className="flex flex-wrap items-center gap-6">
          <Qr svg={box.qr_svg} label={t("box.qr")} />
          <ul className="grid gap-1 font-mono text-sm">
            {[
              ...box.names.map((name) => `http://${name}${box.port === 80 ? "" : `:${box.port}`}/`),
              ...box.addresses.map(({ url }) => url),
            ].map((url) => (
              <li key={url}>{url}</li>
            ))}
          </ul>
        </div>
      </Card>
      <Card title={t("models.title")}>
        <p className="mb-3 text-soft">{box.engine.model_id ?? t("box.noModel")}</p>
        <Link to="/box/models" className="font-medium text-accent underline underline-offset-4">
          {t("models.choose")}
        </Link>
      </Card>
      <HardwareCard />
      <NameCard box={box} />
    </>
  );
}

function Figures({ box }: { box: Box }) {
  const { t } = useTranslation();
  const speed = box.engine.speed.decode_tokens_per_second;
  const figures: [string, string][] = [
    [t("box.memoryFree"), size(box.memory.available_bytes)],
    [t("box.diskFree"), size(box.storage.free_bytes)],
    [t("box.speed"), speed ? rounded(speed * 0.75) : "–"],
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

function HardwareCard() {
  const api = useApi();
  const { t } = useTranslation();
  const hardware = useQuery({ queryKey: ["hardware"], queryFn: () => api.getHardware() });
  if (!hardware.data) return null;
  return (
    <Card title={t("box.hardware")}>
      <p>{hardware.data.summary}</p>
      <p className="text-soft">{hardware.data.profile.reason}</p>
    </Card>
  );
}

function NameCard({ box }: { box: Box }) {
  const api = useApi();
  const { t } = useTranslation();
  const person = usePerson();
  const queries = useQueryClient();
  const [name, setName] = useState(box.name);
  const rename = useMutation({
    mutationFn: () => api.updateBox({ name }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["box"] }),
  });
  if (!isAdministrator(person)) return null;
  return (
    <Card title={t("box.rename")}>
      <form
        className="grid max-w-md gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          rename.mutate();
        }}
      >
        <Field
          label={t("box.name")}
          value={name}
          onChange={(e) => setName(e.target.value)}
          hint={box.hostname}
        />
        <ProblemNote error={rename.error} />
        <Button
          type="submit"
          busy={rename.isPending}
          disabled={name === box.name || name.trim() === ""}
        >
          {t("save")}
        </Button>
      </form>
    </Card>
  );
}
