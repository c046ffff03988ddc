import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { ProblemNote, fieldError } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Field, inputLook } from "@/components/ui/field";
import type { StepProps } from "./wizard";

/** As the box forms its host name: RFC 1123 letters, digits and hyphens. */
function label(name: string): string {
  const plain = name
    .normalize("NFKD")
    .replace(/ß/g, "ss")
    .replace(/[\u0300-\u036f'`]/g, "");
  return (
    plain
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-+|-+$/g, "") || "allerac"
  );
}

export function BoxStep({ state, onDone }: StepProps) {
  const api = useApi();
  const { t } = useTranslation();
  const [name, setName] = useState(state.box_name ?? t("wizard.box.suggestion"));
  const [zone, setZone] = useState(
    state.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
  );
  const save = useMutation({
    mutationFn: () => api.setOnboardingBox({ name, time_zone: zone }),
    onSuccess: onDone,
  });
  const nameError = fieldError(save.error, "name");
  return (
    <form
      className="grid gap-5"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Field
        label={t("box.name")}
        value={name}
        maxLength={40}
        error={nameError}
        onChange={(event) => setName(event.target.value)}
        hint={
          <>
            {t("wizard.box.found")} <strong className="text-ink">{label(name)}.local</strong>
          </>
        }
      />
      <label className="grid gap-1.5 text-sm font-medium">
        {t("box.timeZone")}
        <select
          value={zone}
          onChange={(event) => setZone(event.target.value)}
          className={inputLook}
        >
          {[...new Set([zone, ...Intl.supportedValuesOf("timeZone"), "UTC"])].map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </label>
      {nameError === undefined ? <ProblemNote error={save.error} /> : null}
      <Button kind="primary" type="submit" busy={save.isPending} disabled={name.trim() === ""}>
        {t("next")}
      </Button>
    </form>
  );
}
