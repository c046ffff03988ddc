import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { Ssh, SshKey } from "@/api/types";
import { Confirm } from "@/components/confirm";
import { ProblemNote } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { inputLook } from "@/components/ui/field";

/** Whose keys are let in while SSH is open. */
export function SshKeys({ ssh }: { ssh: Ssh }) {
  const { t } = useTranslation();
  return (
    <div className="grid gap-3">
      <h3 className="font-semibold">{t("ssh.keys")}</h3>
      <ul className="grid gap-3 empty:hidden">
        {ssh.keys.map((key) => (
          <Row key={key.id} entry={key} isOpen={ssh.open_until !== null} />
        ))}
      </ul>
      <AddForm />
    </div>
  );
}

function useRefresh() {
  const queries = useQueryClient();
  return () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: ["ssh"] }),
      queries.invalidateQueries({ queryKey: ["box"] }),
    ]);
}

function Row({ entry, isOpen }: { entry: SshKey; isOpen: boolean }) {
  const api = useApi();
  const { t } = useTranslation();
  const [isAsked, setAsked] = useState(false);
  const remove = useMutation({
    mutationFn: () => api.removeSshKey(entry.id),
    onSettled: useRefresh(),
  });
  const name = entry.comment === "" ? t("ssh.noComment") : entry.comment;
  return (
    <li className="grid gap-2 rounded-card border border-line p-4">
      <div className="flex flex-wrap items-start justify-between gap-2">
        <div className="min-w-0">
          <p className="font-medium wrap-anywhere">{name}</p>
          <p className="text-sm text-soft">{entry.kind}</p>
          <p className="font-mono text-sm text-soft wrap-anywhere">{entry.fingerprint}</p>
        </div>
        <Button
          kind="quiet"
          aria-label={t("ssh.removeNamed", { key: name })}
          busy={remove.isPending}
          onClick={() => (isOpen ? setAsked(true) : remove.mutate())}
        >
          {t("ssh.remove")}
        </Button>
      </div>
      {isAsked ? (
        <Confirm
          text={t("ssh.removeOpen")}
          action={t("ssh.remove")}
          busy={remove.isPending}
          onConfirm={() => remove.mutate()}
          onCancel={() => setAsked(false)}
        />
      ) : null}
      <ProblemNote error={remove.error} />
    </li>
  );
}

function AddForm() {
  const api = useApi();
  const { t } = useTranslation();
  const id = useId();
  const refresh = useRefresh();
  const [key, setKey] = useState("");
  const add = useMutation({
    mutationFn: () => api.addSshKey({ key }),
    onSuccess: () => {
      setKey("");
      return refresh();
    },
  });
  return (
    <details>
      <summary className="min-h-11 cursor-pointer content-center font-medium">
        {t("ssh.add")}
      </summary>
      <form
        className="mt-3 grid max-w-prose gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate();
        }}
      >
        <div className="grid gap-1.5">
          <label htmlFor={id} className="text-sm font-medium">
            {t("ssh.key")}
          </label>
          <textarea
            id={id}
            aria-describedby={`${id}-hint`}
            rows={4}
            autoComplete="off"
            spellCheck={false}
            value={key}
            onChange={(event) => setKey(event.target.value)}
            className={`${inputLook} font-mono text-sm`}
          />
          <p id={`${id}-hint`} className="text-sm text-soft">
            {t("ssh.keyHint")}
          </p>
        </div>
        <ProblemNote error={add.error} />
        <Button
          type="submit"
          className="justify-self-start"
          busy={add.isPending}
          disabled={key.trim() === ""}
        >
          {t("ssh.addNow")}
        </Button>
      </form>
    </details>
  );
}
