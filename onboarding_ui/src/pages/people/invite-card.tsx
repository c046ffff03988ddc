import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { Role } from "@/api/types";
import { CopyButton } from "@/components/copy-button";
import { moment } from "@/components/numbers";
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
        <div className="mt-4 grid items-center gap-4 rounded-control bg-tint p-4 sm:grid-cols-[auto_1fr]">
          <Qr svg={invite.data.qr_svg} label={t("people.qr")} />
          <div className="grid min-w-0 justify-items-start gap-3">
            <p>{t("people.share", { date: moment(invite.data.expires_at) })}</p>
            <p className="w-full font-mono text-sm select-all">{invite.data.url}</p>
            <CopyButton text={invite.data.url} label={t("people.copyLink")} isNamed />
          </div>
        </div>
      ) : null}
      <ul className="mt-4 grid gap-2 empty:hidden">
        {(open.data?.items ?? []).map((one) => (
          <li key={one.id} className="flex flex-wrap items-center justify-between gap-2 text-sm">
            {t("people.openInvitation", {
              role: t(`roles.${one.role}`),
              date: moment(one.expires_at),
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
