import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useApi } from "@/api/context";
import { NewPasswordField } from "@/components/password-field";
import { ProblemNote, fieldError } from "@/components/problem";
import { RecoveryCode } from "@/components/recovery-code";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Door, quietLink } from "./door";

export function RecoverPage() {
  const api = useApi();
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [code, setCode] = useState("");
  const [password, setPassword] = useState("");
  const recover = useMutation({
    mutationFn: () => api.recover({ name, recovery_code: code, new_password: password }),
  });
  if (recover.data) {
    return (
      <Door title={t("recovery.newTitle")} help={t("recovery.why")}>
        <RecoveryCode
          code={recover.data.recovery_code}
          onSaved={() => {
            history.replaceState(null, "", "/chat");
            void queries.resetQueries();
          }}
        />
      </Door>
    );
  }
  return (
    <Door title={t("recovery.title")} help={t("recovery.help")}>
      <form
        className="grid gap-5"
        onSubmit={(event) => {
          event.preventDefault();
          recover.mutate();
        }}
      >
        <Field label={t("person.name")} value={name} onChange={(e) => setName(e.target.value)} />
        <Field
          label={t("recovery.label")}
          value={code}
          autoComplete="off"
          onChange={(e) => setCode(e.target.value)}
        />
        <NewPasswordField
          label={t("password.new")}
          value={password}
          name={name}
          error={fieldError(recover.error, "new_password")}
          onChange={setPassword}
        />
        <ProblemNote error={recover.error} />
        <Button kind="primary" type="submit" busy={recover.isPending}>
          {t("recovery.go")}
        </Button>
        <Link to="/" className={quietLink}>
          {t("back")}
        </Link>
      </form>
    </Door>
  );
}
