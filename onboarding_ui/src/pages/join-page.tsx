import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { useApi } from "@/api/context";
import type { InvitationView, Language } from "@/api/types";
import { NewPasswordField } from "@/components/password-field";
import { ProblemNote, fieldError } from "@/components/problem";
import { RecoveryCode } from "@/components/recovery-code";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Door, quietLink } from "./door";

/** What a link of invitation opens. */
export function JoinPage() {
  const api = useApi();
  const { t } = useTranslation();
  const { token = "" } = useParams();
  const offer = useQuery({
    queryKey: ["join", token],
    queryFn: () => api.readInvitation(token),
    retry: false,
  });
  if (offer.error) {
    return (
      <Door title={t("join.noneTitle")}>
        <ProblemNote error={offer.error} />
        <Link to="/" className={quietLink}>
          {t("signIn.title")}
        </Link>
      </Door>
    );
  }
  return offer.data ? <JoinForm token={token} offer={offer.data} /> : null;
}

function JoinForm({ token, offer }: { token: string; offer: InvitationView }) {
  const api = useApi();
  const { t, i18n } = useTranslation();
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const join = useMutation({
    mutationFn: () =>
      api.acceptInvitation(token, { name, password, language: i18n.language as Language }),
  });
  if (join.data) {
    return (
      <Door title={t("recovery.newTitle")} help={t("recovery.why")}>
        <RecoveryCode
          code={join.data.recovery_code}
          onSaved={() => {
            void queries.resetQueries();
            location.assign("/chat");
          }}
        />
      </Door>
    );
  }
  return (
    <Door
      title={t("join.title", { household: offer.household_name })}
      help={t("join.help", { role: t(`roles.${offer.role}`) })}
    >
      <form
        className="grid gap-5"
        onSubmit={(event) => {
          event.preventDefault();
          join.mutate();
        }}
      >
        <Field
          label={t("person.name")}
          autoComplete="username"
          value={name}
          error={fieldError(join.error, "name")}
          onChange={(event) => setName(event.target.value)}
        />
        <NewPasswordField
          label={t("password.label")}
          value={password}
          name={name}
          error={fieldError(join.error, "password")}
          onChange={setPassword}
        />
        <ProblemNote error={join.error} />
        <Button kind="primary" type="submit" busy={join.isPending} disabled={name === ""}>
          {t("join.go")}
        </Button>
      </form>
    </Door>
  );
}
