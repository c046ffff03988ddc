import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";

interface Props {
  chosen: string | null;
  onChoose: (modelId: string | null) => void;
}

/** Which model answers here; only those on board are offered. */
export function ModelChip({ chosen, onChoose }: Props) {
  const api = useApi();
  const { t } = useTranslation();
  const models = useQuery({ queryKey: ["models"], queryFn: () => api.listModels() });
  const onBoard = (models.data?.items ?? []).filter(({ state }) => state === "installed");
  if (onBoard.length === 0) return null;
  return (
    <select
      aria-label={t("chat.model")}
      value={chosen ?? ""}
      onChange={(event) => onChoose(event.target.value === "" ? null : event.target.value)}
      className="max-w-44 truncate rounded-control bg-transparent px-1 py-1 text-sm text-soft"
    >
      <option value="">{t("chat.usualModel")}</option>
      {onBoard.map(({ id, title }) => (
        <option key={id} value={id}>
          {title}
        </option>
      ))}
    </select>
  );
}
