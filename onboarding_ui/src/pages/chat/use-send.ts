import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { useApi } from "@/api/context";
import type { Message } from "@/api/types";

interface ToSend {
  content: string;
  parentId: string | null;
}

/** A random id that also exists where the page has no secure context. */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Sends a message; without a conversation it starts one and goes there. */
export function useSend(conversationId: string | null, onSent: () => void) {
  const api = useApi();
  const queries = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: async ({ content, parentId }: ToSend) => {
      const id = conversationId ?? (await api.createConversation({})).id;
      const body = { content, parent_id: parentId, client_id: randomId() };
      const sent = await api.sendMessage(id, body);
      return { id, sent };
    },
    onSuccess: ({ id, sent }) => {
      onSent();
      queries.setQueryData<Message[]>(["conversation", id, "messages"], (before) => [
        ...(before ?? []),
        sent.message,
        sent.answer,
      ]);
      void queries.invalidateQueries({ queryKey: ["conversation", id] });
      void queries.invalidateQueries({ queryKey: ["conversations"] });
      if (conversationId === null) {
        // From the new conversation, back leads to the list of them all.
        void navigate("/chat/list", { replace: true });
        void navigate(`/chat/${id}`);
      }
    },
  });
}
