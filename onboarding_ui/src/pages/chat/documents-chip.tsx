import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { ConversationScope } from "@/api/library-types";
import { useScope } from "../assistants/assistant-chip";
import { useFolders } from "../knowledge/use-folders";

export type Looks = Required<Pick<ConversationScope, "uses_knowledge" | "folder">>;

export const EVERYWHERE: Looks = { uses_knowledge: true, folder: null };

const NOWHERE = "nowhere";
const IN = "in ";

function valueOf({ uses_knowledge, folder }: Looks): string {
  if (!uses_knowledge) return NOWHERE;
  return folder === null ? "" : IN + folder;
}

function looksOf(value: string): Looks {
  if (value === NOWHERE) return { uses_knowledge: false, folder: null };
  return { uses_knowledge: true, folder: value === "" ? null : value.slice(IN.length) };
}

interface Props {
  chosen: Looks;
  onChoose: (looks: Looks) => void;
}

/** Into which documents an answer looks; where there are none there is nothing to choose. */
export function DocumentsChoice({ chosen, onChoose }: Props) {
  const api = useApi();
  const { t } = useTranslation();
  const folders = useFolders();
  const hasAny = useQuery({
    queryKey: ["knowledge", "any"],
    queryFn: async () => (await api.listFiles({})).items.length > 0,
  });
  if (hasAny.data !== true && chosen.uses_knowledge) return null;
  const known = (folders.data ?? []).map(({ name }) => name);
  const gone = chosen.folder !== null && !known.includes(chosen.folder) ? [chosen.folder] : [];
  return (
    <select
      aria-label={t("library.documents")}
      value={valueOf(chosen)}
      onChange={(event) => onChoose(looksOf(event.target.value))}
      className="min-h-9 max-w-40 truncate rounded-control bg-transparent px-1 text-sm text-soft pointer-coarse:min-h-11"
    >
      <option value="">{t("library.looks.everywhere")}</option>
      <option value={NOWHERE}>{t("library.looks.nowhere")}</option>
      {[...known, ...gone].map((name) => (
        <option key={name} value={IN + name}>
          {t("library.looks.in", { name })}
        </option>
      ))}
    </select>
  );
}

/** The choice in a conversation that has begun. */
export function DocumentsChip({ conversationId }: { conversationId: string }) {
  const api = useApi();
  const queries = useQueryClient();
  const scope = useScope(conversationId);
  const choose = useMutation({
    mutationFn: (looks: Looks) => api.setScope(conversationId, { ...scope.data, ...looks }),
    onSettled: () => queries.invalidateQueries({ queryKey: ["conversation", conversationId] }),
  });
  if (!scope.data) return null;
  const { uses_knowledge, folder = null } = scope.data;
  return (
    <DocumentsChoice
      chosen={{ uses_knowledge, folder }}
      onChoose={(looks) => choose.mutate(looks)}
    />
  );
}
