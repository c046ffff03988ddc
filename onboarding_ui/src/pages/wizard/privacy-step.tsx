import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { ProblemNote } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { inputLook } from "@/components/ui/field";
import type { StepProps } from "./wizard";

const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

export function PrivacyStep({ state, onDone }: StepProps) {
  const api = useApi();
  const { t } = useTranslation();
  const [automatic, setAutomatic] = useState(state.automatic_updates);
  const [hour, setHour] = useState(state.update_hour);
  const save = useMutation({
    mutationFn: () => api.setOnboardingPrivacy({ automatic_updates: automatic, update_hour: hour }),
    onSuccess: onDone,
  });
  return (
    <div className="grid gap-5">
      <div className="grid grid-cols-[auto_1fr] items-center gap-x-3">
        <input
          id="automatic-updates"
          type="checkbox"
          aria-describedby="automatic-updates-help"
          checked={automatic}
          onChange={(event) => setAutomatic(event.target.checked)}
          className="size-5"
        />
        <label htmlFor="automatic-updates" className="flex min-h-11 items-center font-medium">
          {t("wizard.privacy.automatic")}
        </label>
        <p id="automatic-updates-help" className="col-start-2 text-sm text-soft">
          {t("wizard.privacy.automaticHelp")}
        </p>
      </div>
      <label className="grid gap-1.5 text-sm font-medium">
        {t("wizard.privacy.hour")}
        <select
          value={hour}
          disabled={!automatic}
          onChange={(event) => setHour(Number(event.target.value))}
          className={inputLook}
        >
          {HOURS.map((one) => (
            <option key={one} value={one}>
              {`${String(one).padStart(2, "0")}:00`}
            </option>
          ))}
        </select>
      </label>
      <p className="rounded-control bg-tint p-4">{t("wizard.privacy.nothingLeaves")}</p>
      <ProblemNote error={save.error} />
      <Button kind="primary" busy={save.isPending} onClick={() => save.mutate()}>
        {t("next")}
      </Button>
    </div>
  );
}
