import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { Memory } from "@/api/library-types";
import { ProblemNote } from "@/components/problem";
import { Button } from "@/components/ui/button";
import type { Shown } from "./tree";

/** Under the answer to what somebody said of themselves: shall the box remember it? */
export function MemoryOffer({ shown }: { shown: Shown }) {
  const api = useApi();
  const conversation = shown.message.conversation_id;
  const answers = new Set(shown.siblings.map(({ id }) => id));
  const memories = useQuery({
    queryKey: ["conversation", conversation, "memories"],
    queryFn: async () => (await api.listMemories()).items,
  });
  const proposed = memories.data?.find(
    ({ state, message_id }) => state === "proposed" && answers.has(message_id ?? ""),
  );
  return proposed ? <Offer memory={proposed} /> : null;
}

function Offer({ memory }: { memory: Memory }) {
  const api = useApi();
  const { t } = useTranslation();
  const queries = useQueryClient();
  const decide = useMutation({
    mutationFn: async (isKept: boolean) => {
      if (isKept) await api.updateMemory(memory.id, { confirmed: true });
      else await api.deleteMemory(memory.id);
    },
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: ["conversation", memory.conversation_id] }),
        queries.invalidateQueries({ queryKey: ["memories"] }),
      ]),
  });
  return (
    <div
      role="group"
      aria-label={t("library.memory.proposed")}
      className="grid gap-1 rounded-card border border-line bg-surface p-4 text-sm"
    >
      <p className="text-soft">{t("library.memory.proposed")}</p>
      <p className="break-words">{memory.content}</p>
      <ProblemNote error={decide.error} />
      <div className="-ms-4 flex flex-wrap">
        <Button kind="quiet" busy={decide.isPending} onClick={() => decide.mutate(true)}>
          {t("library.memory.keep")}
        </Button>
        <Button kind="quiet" busy={decide.isPending} onClick={() => decide.mutate(false)}>
          {t("library.memory.no")}
        </Button>
      </div>
    </div>
  );
}
