import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";

interface Props {
  chosen: string | null;
  onChoose: (modelId: string | null) => void;
}

/** Which model answers here; where only one is on board there is nothing to choose. */
export function ModelChip({ chosen, onChoose }: Props) {
  const api = useApi();
  const { t } = useTranslation();
  const models = useQuery({ queryKey: ["models"], queryFn: () => api.listModels() });
  const remote = useQuery({ queryKey: ["remote-models"], queryFn: () => api.listRemoteModels() });
  const elsewhere = (remote.data?.items ?? []).filter(({ enabled }) => enabled);
  const onBoard = (models.data?.items ?? []).filter(({ state }) => state === "installed");
  const usual = onBoard.find(({ is_default }) => is_default);
  if (onBoard.length + elsewhere.length <= 1 && chosen === null) {
    return <span className="truncate px-2 text-sm text-soft">{onBoard[0]?.title}</span>;
  }
  return (
    <select
      aria-label={t("chat.model")}
      value={chosen ?? ""}
      onChange={(event) => onChoose(event.target.value === "" ? null : event.target.value)}
      className="min-h-9 max-w-52 truncate rounded-control bg-transparent px-1 text-sm text-soft pointer-coarse:min-h-11"
    >
      <option value="">
        {usual ? t("chat.usual", { model: usual.title }) : t("chat.usualModel")}
      </option>
      {onBoard.map(({ id, title }) => (
        <option key={id} value={id}>
          {title}
        </option>
      ))}
      {elsewhere.map(({ id, title }) => (
        <option key={id} value={id}>
          {t("chat.modelElsewhere", { model: title })}
        </option>
      ))}
    </select>
  );
}
