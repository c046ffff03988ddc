import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ChevronRight } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { Language } from "@/api/types";
import { NewPasswordField } from "@/components/password-field";
import { ProblemNote, fieldError } from "@/components/problem";
import { useToast } from "@/components/toasts";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Field, inputLook } from "@/components/ui/field";
import { LANGUAGES } from "@/i18n";
import { usePerson } from "@/layout/person";

export function MyAccountCard() {
  const api = useApi();
  const { t } = useTranslation();
  const person = usePerson();
  const queries = useQueryClient();
  const speakIn = useMutation({
    mutationFn: (language: Language) => api.updateMe({ language }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["session"] }),
  });
  return (
    <Card title={t("account.title", { name: person.name })}>
      <div className="grid max-w-md gap-5">
        <label className="grid gap-1.5 text-sm font-medium">
          {t("account.language")}
          <select
            value={person.language}
            onChange={(event) => speakIn.mutate(event.target.value as Language)}
            className={inputLook}
          >
            {LANGUAGES.map(({ code, name }) => (
              <option key={code} value={code}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <PasswordForm name={person.name} />
      </div>
    </Card>
  );
}

function PasswordForm({ name }: { name: string }) {
  const api = useApi();
  const { t } = useTranslation();
  const toast = useToast();
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const change = useMutation({
    mutationFn: () => api.changePassword({ current_password: current, new_password: next }),
    onSuccess: () => {
      setCurrent("");
      setNext("");
      toast(t("password.changed"));
    },
  });
  return (
    <details className="group">
      <summary className="flex min-h-11 list-none items-center gap-2 font-medium [&::-webkit-details-marker]:hidden">
        <ChevronRight
          size={18}
          aria-hidden="true"
          className="text-soft transition group-open:rotate-90"
        />
        {t("password.change")}
      </summary>
      <form
        className="mt-4 grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate();
        }}
      >
        <Field
          label={t("password.current")}
          type="password"
          autoComplete="current-password"
          value={current}
          onChange={(event) => setCurrent(event.target.value)}
        />
        <NewPasswordField
          label={t("password.new")}
          value={next}
          name={name}
          error={fieldError(change.error, "new_password")}
          onChange={setNext}
        />
        <ProblemNote error={change.error} />
        <Button type="submit" busy={change.isPending} disabled={current === "" || next === ""}>
          {t("save")}
        </Button>
      </form>
    </details>
  );
}
