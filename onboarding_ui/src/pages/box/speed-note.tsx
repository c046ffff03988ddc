import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { rounded } from "@/components/numbers";

/** How well waits were told, and how fast a model is on this very box; nothing until measured. */
export function SpeedNote({ modelId }: { modelId: string | null }) {
  const api = useApi();
  const { t } = useTranslation();
  const record = useQuery({ queryKey: ["engine-speed"], queryFn: () => api.getEngineSpeed() });
  if (!record.data) return null;
  const { calibrations, honesty } = record.data;
  const measured = calibrations.find(({ model_id }) => model_id === modelId);
  return (
    <>
      {measured ? (
        <p className="mt-2 text-sm text-soft">
          {t("engine.measured", {
            prefill: rounded(measured.prefill_tokens_per_second),
            decode: rounded(measured.decode_tokens_per_second),
          })}
        </p>
      ) : null}
      {honesty.median_error === null ? null : (
        <p className="text-sm text-soft">
          {t("engine.honest", {
            count: honesty.estimates,
            percent: rounded(100 * honesty.median_error),
          })}
        </p>
      )}
    </>
  );
}
