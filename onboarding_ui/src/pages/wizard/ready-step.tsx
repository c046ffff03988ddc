import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { Claimed, OnboardingState } from "@/api/types";
import { ProblemNote } from "@/components/problem";
import { size } from "@/components/numbers";
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
  const api = useApi();
  const models = useQuery({
    queryKey: ["onboarding", "models"],
    queryFn: () => api.listOnboardingModels(),
  });
  const model = models.data?.items.find(({ id }) => id === state.model_id);
  const toFetch = [model, models.data?.embedding]
    .filter((card) => card !== null && card !== undefined)
    .filter((card) => card.state !== "installed");
  const hour = `${String(state.update_hour).padStart(2, "0")}:00`;
  const rows = [
    [t("person.name"), state.owner_name],
    [t("box.name"), state.box_name],
    [t("wizard.ready.address"), state.hostname_preview],
    [t("box.timeZone"), state.time_zone],
    [t("chat.model"), model?.title],
    [
      t("wizard.ready.updates"),
      state.automatic_updates ? t("wizard.ready.atHour", { hour }) : t("wizard.ready.byHand"),
    ],
  ] as const;
  return (
    <div className="grid gap-5">
      <dl className="grid grid-cols-[auto_1fr] gap-x-5 gap-y-2">
        {rows.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-soft">{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {state.download_model && toFetch.length > 0 ? (
        <div className="text-soft">
          <p>{t("wizard.ready.download")}</p>
          <ul className="list-disc ps-5">
            {toFetch.map((card) => (
              <li key={card.id}>
                {card.title} ({size(card.size_bytes)})
              </li>
            ))}
          </ul>
        </div>
      ) : null}
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
