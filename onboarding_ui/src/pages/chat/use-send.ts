import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import type { AlleracApi } from "@/api/allerac-api";
import { useApi } from "@/api/context";
import type { Message } from "@/api/types";
import { EVERYWHERE, type Looks } from "./documents-chip";

interface Open {
  id: string;
  /** The last message that is shown, once the messages have come. */
  lastId: () => Promise<string | null>;
}

interface ToSend {
  content: string;
  /** The message before it; without, the last of the conversation. */
  parentId?: string | null;
  /** Who answers in the conversation that begins with it. */
  assistantId?: string | null;
  /** What goes with it, and the message whose pictures go with this one too. */
  pictures?: Blob[];
  picturesOf?: string;
  /** Into which documents it looks. */
  looks?: Looks;
}

/** A random id that also exists where the page has no secure context. */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function picturesOf(api: AlleracApi, conversation: string, message: string) {
  const { items } = await api.listPictures(conversation);
  const theirs = items.filter(({ message_id }) => message_id === message);
  return Promise.all(theirs.map(({ id }) => api.readPicture(id)));
}

/** Sends a message; without a conversation it starts one and goes there. */
export function useSend(open: Open | null, onSent: () => void) {
  const api = useApi();
  const queries = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: async (given: ToSend) => {
      const { content, parentId, assistantId = null, looks = EVERYWHERE } = given;
      const clientId = randomId();
      const before = parentId === undefined && open ? await open.lastId() : (parentId ?? null);
      const id = open?.id ?? (await api.createConversation({})).id;
      const isSpecial = assistantId !== null || !looks.uses_knowledge || looks.folder !== null;
      if (open === null && isSpecial) {
        await api.setScope(id, { assistant_id: assistantId, ...looks });
      }
      const again = given.picturesOf ? await picturesOf(api, id, given.picturesOf) : [];
      for (const picture of [...again, ...(given.pictures ?? [])]) {
        await api.addPicture(id, clientId, picture);
      }
      const body = { content, parent_id: before, client_id: clientId };
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
      if (open === null) {
        // From the new conversation, back leads to the list of them all.
        void navigate("/chat/list", { replace: true });
        void navigate(`/chat/${id}`);
      }
    },
  });
}
