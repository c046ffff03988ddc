import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { Language } from "@/api/types";
import { ProblemNote } from "@/components/problem";
import { LANGUAGES, speak } from "@/i18n";
import type { StepProps } from "./wizard";

export function LanguageStep({ onDone }: StepProps) {
  const api = useApi();
  const { i18n } = useTranslation();
  const choose = useMutation({
    mutationFn: (language: Language) => api.setOnboardingLanguage({ language }),
    onSuccess: (state) => {
      speak(state.language);
      onDone(state);
    },
  });
  return (
    <div className="grid gap-3">
      {LANGUAGES.map(({ code, name, greeting }) => (
        <button
          key={code}
          type="button"
          lang={code}
          onClick={() => choose.mutate(code)}
          className={`flex min-h-16 items-baseline justify-between rounded-card border px-5 py-4 text-start hover:bg-tint ${
            i18n.language === code ? "border-accent" : "border-line"
          }`}
        >
          <span className="text-lg font-medium">{name}</span>
          <span className="font-serif text-soft">{greeting}</span>
        </button>
      ))}
      <ProblemNote error={choose.error} />
    </div>
  );
}
