import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { Source } from "@/api/library-types";
import type { Message } from "@/api/types";

/** What was read for an answer; null where nothing was searched. */
export function useSources(message: Message): Source[] | null {
  const api = useApi();
  const found = useQuery({
    queryKey: ["conversation", message.conversation_id, "sources"],
    queryFn: async () => (await api.listSources(message.conversation_id)).items,
  });
  return found.data?.find(({ message_id }) => message_id === message.id)?.sources ?? null;
}

/** What the numbers in an answer open. */
export function useCitations(sources: Source[] | null) {
  const { t } = useTranslation();
  return useMemo(
    () =>
      (sources ?? []).map(({ number, file_name: name }) => ({
        number,
        label: t("library.cited", { number, name }),
      })),
    [sources, t],
  );
}
