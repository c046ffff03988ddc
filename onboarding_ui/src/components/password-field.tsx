import { useQuery } from "@tanstack/react-query";
import { useDeferredValue } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { boxWords } from "@/i18n/box-words";
import { Field } from "./ui/field";

interface Props {
  label: string;
  value: string;
  name: string;
  error?: string | undefined;
  onChange: (value: string) => void;
}

/** A new password with a meter that asks the box, which knows what is tried first. */
export function NewPasswordField({ label, value, name, error, onChange }: Props) {
  const api = useApi();
  const { t } = useTranslation();
  const typed = useDeferredValue(value);
  const strength = useQuery({
    queryKey: ["password-strength", typed, name],
    queryFn: () => api.checkPassword({ password: typed, name }),
    enabled: typed !== "",
    placeholderData: (before) => before,
  });
  const score = typed === "" ? 0 : (strength.data?.score ?? 0);
  return (
    <Field
      label={label}
      type="password"
      autoComplete="new-password"
      value={value}
      error={error}
      onChange={(event) => onChange(event.target.value)}
      hint={
        <div className="grid gap-1.5">
          <meter
            min={0}
            max={4}
            value={score}
            aria-label={t("password.meter")}
            className="sr-only"
          />
          <div aria-hidden="true" className="grid grid-cols-4 gap-1">
            {[1, 2, 3, 4].map((step) => (
              <span
                key={step}
                className={`h-1 rounded-full ${step <= score ? (score > 2 ? "bg-well" : "bg-notice") : "bg-line"}`}
              />
            ))}
          </div>
          <span aria-live="polite">
            {typed === "" ? t("password.hint") : boxWords(strength.data?.reason ?? "")}
          </span>
        </div>
      }
    />
  );
}
