import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { useAssistants } from "./use-assistants";

interface Props {
  chosen: string | null;
  onChoose: (assistantId: string | null) => void;
}

/** Which assistant answers; where there is none there is nothing to choose. */
export function AssistantChoice({ chosen, onChoose }: Props) {
  const { t } = useTranslation();
  const assistants = useAssistants();
  if (!assistants.data?.length) return null;
  return (
    <select
      aria-label={t("library.assistant.chip")}
      value={chosen ?? ""}
      onChange={(event) => onChoose(event.target.value === "" ? null : event.target.value)}
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

/** Who answers in a conversation, and where it looks. */
export function useScope(conversationId: string) {
  const api = useApi();
  return useQuery({
    queryKey: ["conversation", conversationId, "scope"],
    queryFn: () => api.getScope(conversationId),
  });
}

/** Who answers in a conversation that has begun; undefined until the box has said so. */
export function useConversationAssistant(conversationId: string) {
  const api = useApi();
  const queries = useQueryClient();
  const scope = useScope(conversationId);
  const change = useMutation({
    mutationFn: (assistant_id: string | null) =>
      api.setScope(conversationId, {
        uses_knowledge: true,
        folder: null,
        ...scope.data,
        assistant_id,
      }),
    onSettled: () => queries.invalidateQueries({ queryKey: ["conversation", conversationId] }),
  });
  const chosen = scope.data ? (scope.data.assistant_id ?? null) : undefined;
  return { chosen, choose: (assistant: string | null): void => change.mutate(assistant) };
}

/** The choice in a conversation that has begun. */
export function AssistantChip({ chosen, choose }: ReturnType<typeof useConversationAssistant>) {
  if (chosen === undefined) return null;
  return <AssistantChoice chosen={chosen} onChoose={choose} />;
}
