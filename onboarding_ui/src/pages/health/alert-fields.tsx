import { type ReactNode, useId } from "react";
import { useTranslation } from "react-i18next";
import { inputLook } from "@/components/ui/field";
import { LANGUAGES, type LanguageCode } from "@/i18n";

interface SelectProps<Value extends string | number> {
  label: string;
  value: Value;
  options: readonly (readonly [Value, string])[];
  onChange: (value: Value) => void;
}

/** One of a few. */
export function Select<Value extends string | number>({
  label,
  value,
  options,
  onChange,
}: SelectProps<Value>) {
  return (
    <label className="grid gap-1.5 text-sm font-medium">
      {label}
      <select
        value={value}
        onChange={({ target }) => {
          const chosen = options.find(([one]) => String(one) === target.value);
          if (chosen) onChange(chosen[0]);
        }}
        className={inputLook}
      >
        {options.map(([one, words]) => (
          <option key={one} value={one}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}

interface LanguageProps {
  value: LanguageCode | null | undefined;
  onChange: (value: LanguageCode | null) => void;
}

/** In which language somebody is told; null is that of the household. */
export function LanguageSelect({ value, onChange }: LanguageProps) {
  const { t } = useTranslation();
  const spoken = LANGUAGES.map(({ code, name }) => [code, name] as const);
  return (
    <Select<LanguageCode | "">
      label={t("alerts.language")}
      value={value ?? ""}
      options={[["", t("alerts.languageOfHome")], ...spoken]}
      onChange={(chosen) => onChange(chosen || null)}
    />
  );
}

interface SwitchProps {
  label: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
  children?: ReactNode;
}

/** A part that is on or off; what belongs to it is shown while it is on. */
export function Switch({ label, checked, onChange, children }: SwitchProps) {
  const id = useId();
  return (
    <div className="grid gap-3">
      <div className="flex min-h-11 items-center gap-3">
        <input
          id={id}
          type="checkbox"
          checked={checked}
          onChange={({ target }) => onChange(target.checked)}
          className="size-5"
        />
        <label htmlFor={id} className="flex min-h-11 items-center font-medium">
          {label}
        </label>
      </div>
      {checked ? <div className="grid gap-4 ps-8">{children}</div> : null}
    </div>
  );
}
