import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Claimed, OnboardingState } from "@/api/types";
import { ProblemNote } from "@/components/problem";
import { Qr } from "@/components/qr";
import { Button } from "@/components/ui/button";

interface Props {
  state: OnboardingState;
  finish: () => void;
  busy: boolean;
  error: unknown;
}

/** The last look before the box is yours. */
export function ReadyStep({ state, finish, busy, error }: Props) {
  const { t } = useTranslation();
  return (
    <div className="grid gap-5">
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-2">
        <dt className="text-soft">{t("person.name")}</dt>
        <dd>{state.owner_name}</dd>
        <dt className="text-soft">{t("box.name")}</dt>
        <dd>
          {state.box_name} ({state.hostname_preview})
        </dd>
        <dt className="text-soft">{t("box.timeZone")}</dt>
        <dd>{state.time_zone}</dd>
      </dl>
      <ProblemNote error={error} />
      <Button kind="primary" busy={busy} onClick={finish}>
        {t("wizard.ready.finish")}
      </Button>
    </div>
  );
}

function Done({ claimed }: { claimed: Claimed }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  return (
    <div className="grid justify-items-center gap-5">
      <Qr svg={claimed.qr_svg} label={t("wizard.done.qr")} />
      <p className="font-mono">{claimed.url}</p>
      <Button
        kind="primary"
        className="w-full"
        onClick={() => {
          history.replaceState(null, "", "/chat");
          void queries.resetQueries();
        }}
      >
        {t("wizard.done.hello")}
      </Button>
    </div>
  );
}

ReadyStep.Done = Done;
