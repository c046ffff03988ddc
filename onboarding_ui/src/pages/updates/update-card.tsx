import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { UpdateReason, Updates } from "@/api/types";
import { moment, size } from "@/components/numbers";
import { ProblemNote } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Card, Notice } from "@/components/ui/card";
import { boxWords } from "@/i18n/box-words";
import { headlineOf } from "@/layout/updates-state";
import { UpdateProgress, UpdateSteps } from "./update-steps";
import { useUpdateAct } from "./use-update-act";

const WEEK_MS = 7 * 86_400_000;

/** Where the update is, what happens next by itself, and the one thing to do. */
export function UpdateCard({ updates, isAway }: { updates: Updates; isAway: boolean }) {
  const { available, progress, reason } = updates;
  const { headline, next } = useWords(updates, isAway);
  return (
    <Card>
      <div className="grid gap-5 p-1">
        <div className="grid gap-1" role="status">
          <p className="font-serif text-2xl">{headline}</p>
          <p className="max-w-prose text-soft">{next}</p>
        </div>
        <UpdateSteps updates={updates} />
        {progress ? <UpdateProgress progress={progress} /> : null}
        <NewPages installed={updates.installed} />
        <Withheld updates={updates} />
        {reason ? <ReasonNotice reason={reason} detail={updates.detail} /> : null}
        {available ? <Changes available={available} /> : null}
        <Acts updates={updates} />
      </div>
    </Card>
  );
}

function useWords(updates: Updates, isAway: boolean): { headline: string; next: string } {
  const { t } = useTranslation();
  const { state, installed, available, restarts_at, postponed_until, checked_at } = updates;
  const version = available?.version ?? installed;
  if (isAway) return { headline: t("updates.state.rebooting"), next: t("updates.next.rebooting") };
  const headline = t(`updates.state.${headlineOf(updates)}`, { version });
  const isPostponed = postponed_until !== null && new Date(postponed_until) > new Date();
  if (isPostponed && (state === "available" || state === "installed")) {
    return { headline, next: t("updates.next.postponed", { date: moment(postponed_until) }) };
  }
  if (state === "idle") {
    const looked = checked_at
      ? t("updates.looked", { date: moment(checked_at) })
      : t("updates.neverLooked");
    const stays = updates.pinned_version === null ? "" : ` ${t("updates.pinned")}`;
    const next = `${t("updates.installed", { version: installed })}${stays} ${looked}`;
    return { headline, next };
  }
  if (state === "available") {
    const hour = `${String(updates.hour).padStart(2, "0")}:00`;
    return {
      headline,
      next: t(updates.automatic ? "updates.next.available" : "updates.next.byHand", { hour }),
    };
  }
  if (state === "installed") {
    return {
      headline,
      next: restarts_at
        ? t("updates.next.installed", { date: moment(restarts_at) })
        : t("updates.next.restart"),
    };
  }
  return { headline, next: t(`updates.next.${state}`, { version: installed }) };
}

/** This page is of the version that served it; after the restart there may be a newer one. */
function NewPages({ installed }: { installed: string }) {
  const { t } = useTranslation();
  const [loadedFrom] = useState(installed);
  if (installed === loadedFrom) return null;
  return (
    <div className="flex flex-wrap items-center gap-3">
      <p className="text-soft">{t("updates.reload")}</p>
      <Button onClick={() => location.reload()}>{t("updates.reloadGo")}</Button>
    </div>
  );
}

/** The newest version where it does not come by itself, and why. */
function Withheld({ updates: { withheld, state } }: { updates: Updates }) {
  const { t } = useTranslation();
  if (withheld === null || (state !== "idle" && state !== "available" && state !== "good")) {
    return null;
  }
  const { why, version, percentage } = withheld;
  return (
    <Notice>
      <p className="max-w-prose">{t(`updates.withheld.${why}`, { version, percentage })}</p>
    </Notice>
  );
}

function ReasonNotice({ reason, detail }: { reason: UpdateReason; detail: string | null }) {
  const { t } = useTranslation();
  return (
    <Notice>
      <p className="font-medium">{boxWords(reason.message)}</p>
      <p className="text-sm">{boxWords(reason.hint)}</p>
      {detail ? (
        <details className="text-sm">
          <summary className="flex min-h-11 cursor-pointer items-center">
            {t("chat.details")}
          </summary>
          <p className="font-mono break-words">{detail}</p>
        </details>
      ) : null}
    </Notice>
  );
}

function Changes({ available }: { available: NonNullable<Updates["available"]> }) {
  const { t, i18n } = useTranslation();
  const notes = available.notes[i18n.language] ?? available.notes["en"] ?? "";
  const lines = notes.split("\n").filter((line) => line.trim() !== "");
  return (
    <section className="grid gap-2">
      <h2 className="font-semibold">{t("updates.changes", { version: available.version })}</h2>
      {lines.length > 0 ? (
        <ul className="grid max-w-prose list-disc gap-1 ps-5">
          {lines.map((line) => (
            <li key={line}>{line.replace(/^[-*•]\s*/, "")}</li>
          ))}
        </ul>
      ) : (
        <p className="text-soft">{t("updates.noNotes")}</p>
      )}
      <p className="text-sm text-soft">
        {t("updates.released", {
          date: moment(available.released_at),
          size: size(available.size_bytes),
        })}
        {available.channel === "beta" ? ` · ${t("updates.channel.beta")}` : ""}
      </p>
    </section>
  );
}

function Acts({ updates }: { updates: Updates }) {
  const api = useApi();
  const { t } = useTranslation();
  const act = useUpdateAct();
  const { state } = updates;
  const isWaiting = state === "available" || state === "installed";
  const isResting = state === "idle" || state === "good" || state === "rolled_back";
  if (!isWaiting && !isResting) return null;
  const until = (milliseconds: number) => new Date(Date.now() + milliseconds).toISOString();
  return (
    <div className="grid gap-3">
      <ProblemNote error={act.error} />
      <div className="flex flex-wrap gap-2">
        {state === "available" ? (
          <Button
            kind="primary"
            busy={act.isPending}
            onClick={() => act.mutate(() => api.installUpdate())}
          >
            {t("updates.install")}
          </Button>
        ) : null}
        {state === "installed" ? (
          <Button
            kind="primary"
            busy={act.isPending}
            onClick={() => act.mutate(() => api.restartIntoUpdate())}
          >
            {t("updates.restart")}
          </Button>
        ) : (
          <Button
            kind={isResting ? "primary" : "plain"}
            busy={act.isPending}
            onClick={() => act.mutate(() => api.checkForUpdates())}
          >
            {t("updates.check")}
          </Button>
        )}
        {isWaiting && updates.automatic ? (
          <Button
            kind="quiet"
            busy={act.isPending}
            onClick={() =>
              act.mutate(() =>
                api.postponeUpdates({ until: updates.postponed_until ? null : until(WEEK_MS) }),
              )
            }
          >
            {t(updates.postponed_until ? "updates.letItCome" : "updates.postpone")}
          </Button>
        ) : null}
      </div>
    </div>
  );
}
