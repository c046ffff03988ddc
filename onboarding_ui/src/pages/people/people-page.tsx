import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { Person, UpdatePerson } from "@/api/types";
import { Confirm } from "@/components/confirm";
import { ProblemNote } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Card, Skeleton } from "@/components/ui/card";
import { isAdministrator, usePerson } from "@/layout/person";
import { Page } from "../page";
import { InviteCard } from "./invite-card";
import { KeysCard } from "./keys-card";
import { MyAccountCard } from "./my-account-card";
import { SessionsCard } from "./sessions-card";

export function PeoplePage() {
  const { t } = useTranslation();
  const person = usePerson();
  return (
    <Page title={t("areas.people")}>
      {person.role === "guest" ? null : <HouseholdCard />}
      {isAdministrator(person) ? <InviteCard /> : null}
      <MyAccountCard />
      <SessionsCard />
      {person.role === "guest" ? null : <KeysCard />}
    </Page>
  );
}

function HouseholdCard() {
  const api = useApi();
  const { t } = useTranslation();
  const people = useQuery({ queryKey: ["people"], queryFn: () => api.listPeople() });
  return (
    <Card title={t("people.household")}>
      <ProblemNote error={people.error} />
      {people.isPending ? <Skeleton rows={2} /> : null}
      <ul className="grid gap-2">
        {(people.data?.items ?? []).map((one) => (
          <PersonRow key={one.id} one={one} />
        ))}
      </ul>
    </Card>
  );
}

function PersonRow({ one }: { one: Person }) {
  const api = useApi();
  const { t } = useTranslation();
  const me = usePerson();
  const queries = useQueryClient();
  const [isSure, setSure] = useState(false);
  const refresh = () => queries.invalidateQueries({ queryKey: ["people"] });
  const change = useMutation({
    mutationFn: (body: UpdatePerson) => api.updatePerson(one.id, body),
    onSettled: refresh,
  });
  const remove = useMutation({ mutationFn: () => api.deletePerson(one.id), onSettled: refresh });
  const isMine = isAdministrator(me) && one.id !== me.id && one.role !== "owner";
  return (
    <li className="grid gap-3 rounded-control border border-line p-3">
      <div className="flex items-center gap-3">
        <span
          aria-hidden="true"
          className="grid size-10 shrink-0 place-content-center rounded-full bg-tint font-semibold"
        >
          {one.name.slice(0, 1).toUpperCase()}
        </span>
        <p className="min-w-0">
          <span className="block font-medium">{one.name}</span>
          <span className="block text-sm text-soft">
            {t(`roles.${one.role}`)}
            {one.disabled ? ` · ${t("people.disabled")}` : ""}
          </span>
        </p>
      </div>
      {isMine && !isSure ? (
        <div className="flex flex-wrap gap-2">
          <Button onClick={() => change.mutate({ disabled: !one.disabled })}>
            {one.disabled ? t("people.enable") : t("people.disable")}
          </Button>
          <Button kind="danger" onClick={() => setSure(true)}>
            {t("people.remove")}
          </Button>
        </div>
      ) : null}
      {isSure ? (
        <Confirm
          text={t("people.sure", { name: one.name })}
          action={t("people.removeNow", { name: one.name })}
          word={one.name}
          busy={remove.isPending}
          onConfirm={() => remove.mutate()}
          onCancel={() => setSure(false)}
        />
      ) : null}
      <ProblemNote error={change.error ?? remove.error} />
    </li>
  );
}
