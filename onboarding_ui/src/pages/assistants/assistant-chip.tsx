import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";

/** Which assistant answers in a conversation; where there is none there is nothing to choose. */
export function AssistantChip({ conversationId }: { conversationId: string }) {
  const api = useApi();
  const { t } = useTranslation();
  const queries = useQueryClient();
  const assistants = useQuery({
    queryKey: ["assistants", "usable"],
    queryFn: async () => (await api.listAssistants({ deleted: false })).items,
  });
  const scope = useQuery({
    queryKey: ["conversation", conversationId, "scope"],
    queryFn: () => api.getScope(conversationId),
  });
  const choose = useMutation({
    mutationFn: (assistant_id: string | null) =>
      api.setScope(conversationId, { uses_knowledge: true, folder: null, assistant_id }),
    onSettled: () => queries.invalidateQueries({ queryKey: ["conversation", conversationId] }),
  });
  if (!assistants.data?.length || !scope.data) return null;
  return (
    <select
      aria-label={t("library.assistant.chip")}
      value={scope.data.assistant_id ?? ""}
      onChange={(event) => choose.mutate(event.target.value === "" ? null : event.target.value)}
      className="min-h-9 max-w-40 truncate rounded-control bg-transparent px-1 text-sm text-soft pointer-coarse:min-h-11"
    >
      <option value="">{t("library.assistant.none")}</option>
      {assistants.data.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  );
}
