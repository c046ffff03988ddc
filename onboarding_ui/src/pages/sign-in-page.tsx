import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useApi } from "@/api/context";
import { ProblemNote } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Door, quietLink } from "./door";

export function SignInPage() {
  const api = useApi();
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const signIn = useMutation({
    mutationFn: () => api.signIn({ name, password }),
    onSuccess: () => queries.resetQueries(),
  });
  return (
    <Door title={t("signIn.title")}>
      <form
        className="grid gap-5"
        onSubmit={(event) => {
          event.preventDefault();
          signIn.mutate();
        }}
      >
        <Field
          label={t("person.name")}
          autoComplete="username"
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <Field
          label={t("password.label")}
          type="password"
          autoComplete="current-password"
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
        <ProblemNote error={signIn.error} />
        <Button
          kind="primary"
          type="submit"
          busy={signIn.isPending}
          disabled={name === "" || password === ""}
        >
          {t("signIn.go")}
        </Button>
        <Link to="/recover" className={quietLink}>
          {t("signIn.lost")}
        </Link>
      </form>
    </Door>
  );
}
