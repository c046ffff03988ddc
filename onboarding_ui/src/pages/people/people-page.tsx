import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { Person, UpdatePerson } from "@/api/types";
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
    <li className="grid gap-2 rounded-control border border-line p-3">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <span>
          <span className="font-medium">{one.name}</span>{" "}
          <span className="text-sm text-soft">
            {t(`roles.${one.role}`)}
            {one.disabled ? ` · ${t("people.disabled")}` : ""}
          </span>
        </span>
        {isMine ? (
          <span className="flex flex-wrap gap-2">
            <Button onClick={() => change.mutate({ disabled: !one.disabled })}>
              {one.disabled ? t("people.enable") : t("people.disable")}
            </Button>
            <Button kind="danger" onClick={() => (isSure ? remove.mutate() : setSure(true))}>
              {isSure ? t("people.sure") : t("people.remove")}
            </Button>
          </span>
        ) : null}
      </div>
      <ProblemNote error={change.error ?? remove.error} />
    </li>
  );
}
