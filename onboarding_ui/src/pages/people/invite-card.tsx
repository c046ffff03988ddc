import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { Role } from "@/api/types";
import { CopyButton } from "@/components/copy-button";
import { ProblemNote } from "@/components/problem";
import { Qr } from "@/components/qr";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { inputLook } from "@/components/ui/field";

type Invited = Exclude<Role, "owner">;
const ROLES: Invited[] = ["member", "guest", "admin"];

export function InviteCard() {
  const api = useApi();
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [role, setRole] = useState<Invited>("member");
  const open = useQuery({ queryKey: ["invitations"], queryFn: () => api.listInvitations() });
  const refresh = () => queries.invalidateQueries({ queryKey: ["invitations"] });
  const invite = useMutation({
    mutationFn: () => api.createInvitation({ role }),
    onSuccess: refresh,
  });
  const revoke = useMutation({
    mutationFn: (id: string) => api.revokeInvitation(id),
    onSettled: refresh,
  });
  return (
    <Card title={t("people.invite")}>
      <div className="flex flex-wrap items-end gap-3">
        <label className="grid gap-1.5 text-sm font-medium">
          {t("people.role")}
          <select
            value={role}
            onChange={(event) => setRole(event.target.value as Invited)}
            className={inputLook}
          >
            {ROLES.map((one) => (
              <option key={one} value={one}>
                {t(`roles.${one}`)}
              </option>
            ))}
          </select>
        </label>
        <Button kind="primary" busy={invite.isPending} onClick={() => invite.mutate()}>
          {t("people.makeLink")}
        </Button>
      </div>
      <ProblemNote error={invite.error ?? revoke.error} />
      {invite.data ? (
        <div className="mt-4 flex flex-wrap items-center gap-4">
          <Qr svg={invite.data.qr_svg} label={t("people.qr")} />
          <p className="flex min-w-0 flex-1 items-center gap-2 font-mono text-sm">
            {invite.data.url}
            <CopyButton text={invite.data.url} />
          </p>
        </div>
      ) : null}
      <ul className="mt-4 grid gap-2">
        {(open.data?.items ?? []).map((one) => (
          <li key={one.id} className="flex flex-wrap items-center justify-between gap-2 text-sm">
            {t("people.openInvitation", {
              role: t(`roles.${one.role}`),
              date: new Date(one.expires_at).toLocaleString(),
            })}
            <Button kind="quiet" onClick={() => revoke.mutate(one.id)}>
              {t("people.takeBack")}
            </Button>
          </li>
        ))}
      </ul>
    </Card>
  );
}
