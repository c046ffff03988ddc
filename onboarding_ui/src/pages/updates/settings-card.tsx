import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { Updates, UpdateSettings } from "@/api/types";
import { ProblemNote } from "@/components/problem";
import { Card } from "@/components/ui/card";
import { inputLook } from "@/components/ui/field";
import { useUpdateAct } from "./use-update-act";

const HOURS = Array.from({ length: 24 }, (_, hour) => hour);
const CHANNELS = ["stable", "beta"] as const;

/** What the household wishes of updates; each change holds at once. */
export function SettingsCard({ updates }: { updates: Updates }) {
  const api = useApi();
  const { t } = useTranslation();
  const act = useUpdateAct();
  const change = (wish: UpdateSettings) => act.mutate(() => api.changeUpdateSettings(wish));
  return (
    <Card title={t("updates.settings")}>
      <div className="grid max-w-lg gap-5">
        <Choice
          id="automatic-updates"
          label={t("wizard.privacy.automatic")}
          help={t("wizard.privacy.automaticHelp")}
          checked={updates.automatic}
          disabled={act.isPending}
          onChange={(automatic) => change({ automatic })}
        />
        <label className="grid gap-1.5 text-sm font-medium">
          {t("updates.hour")}
          <select
            value={updates.hour}
            disabled={!updates.automatic || act.isPending}
            onChange={({ target }) => change({ hour: Number(target.value) })}
            className={inputLook}
          >
            {HOURS.map((hour) => (
              <option key={hour} value={hour}>
                {`${String(hour).padStart(2, "0")}:00`}
              </option>
            ))}
          </select>
        </label>
        <label className="grid gap-1.5 text-sm font-medium">
          {t("updates.channel.label")}
          <select
            value={updates.channel}
            disabled={act.isPending}
            onChange={({ target }) => change({ channel: target.value as Updates["channel"] })}
            className={inputLook}
          >
            {CHANNELS.map((channel) => (
              <option key={channel} value={channel}>
                {t(`updates.channel.${channel}`)}
              </option>
            ))}
          </select>
        </label>
        <Choice
          id="pinned-version"
          label={t("updates.stay", { version: updates.pinned_version ?? updates.installed })}
          help={t("updates.stayHelp")}
          checked={updates.pinned_version !== null}
          disabled={act.isPending}
          onChange={(isPinned) =>
            act.mutate(() => api.pinVersion({ version: isPinned ? updates.installed : null }))
          }
        />
        <ProblemNote error={act.error} />
      </div>
    </Card>
  );
}

interface ChoiceProps {
  id: string;
  label: string;
  help: string;
  checked: boolean;
  disabled: boolean;
  onChange: (checked: boolean) => void;
}

function Choice({ id, label, help, checked, disabled, onChange }: ChoiceProps) {
  return (
    <div className="grid grid-cols-[auto_1fr] items-center gap-x-3">
      <input
        id={id}
        type="checkbox"
        aria-describedby={`${id}-help`}
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.target.checked)}
        className="size-5"
      />
      <label htmlFor={id} className="flex min-h-11 items-center font-medium">
        {label}
      </label>
      <p id={`${id}-help`} className="col-start-2 text-sm text-soft">
        {help}
      </p>
    </div>
  );
}
