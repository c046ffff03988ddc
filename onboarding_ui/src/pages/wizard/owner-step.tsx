import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { NewPasswordField } from "@/components/password-field";
import { ProblemNote, fieldError } from "@/components/problem";
import { RecoveryCode } from "@/components/recovery-code";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import type { StepProps } from "./wizard";

export function OwnerStep({ state, onDone, onRecoveryCode }: StepProps) {
  const api = useApi();
  const { t } = useTranslation();
  const [name, setName] = useState(state.owner_name ?? "");
  const [password, setPassword] = useState("");
  const owner = useMutation({
    mutationFn: () => api.setOnboardingOwner({ name, password }),
    onSuccess: onRecoveryCode,
  });
  const saved = useMutation({ mutationFn: () => api.confirmRecoverySaved(), onSuccess: onDone });
  if (owner.data) {
    return (
      <>
        <RecoveryCode
          code={owner.data.recovery_code}
          busy={saved.isPending}
          onSaved={() => saved.mutate()}
        />
        <ProblemNote error={saved.error} />
      </>
    );
  }
  const nameError = fieldError(owner.error, "name");
  const passwordError = fieldError(owner.error, "password");
  return (
    <form
      className="grid gap-5"
      onSubmit={(event) => {
        event.preventDefault();
        owner.mutate();
      }}
    >
      <Field
        label={t("person.name")}
        autoComplete="username"
        value={name}
        error={nameError}
        onChange={(event) => setName(event.target.value)}
      />
      <NewPasswordField
        label={t("password.label")}
        value={password}
        name={name}
        error={passwordError}
        onChange={setPassword}
      />
      {(nameError ?? passwordError) ? null : <ProblemNote error={owner.error} />}
      <Button
        kind="primary"
        type="submit"
        busy={owner.isPending}
        disabled={name.trim() === "" || password === ""}
      >
        {t("next")}
      </Button>
      {state.owner_name && state.recovery_saved ? (
        <Button kind="quiet" onClick={() => onDone(state)}>
          {t("wizard.owner.keep", { name: state.owner_name })}
        </Button>
      ) : null}
    </form>
  );
}
