import { useQuery } from "@tanstack/react-query";
import { useApi } from "@/api/context";
import type { Message, Picture } from "@/api/types";

/** The pictures that were sent with a message. */
export function usePictures(message: Message): Picture[] {
  const api = useApi();
  const found = useQuery({
    queryKey: ["conversation", message.conversation_id, "pictures"],
    queryFn: async () => (await api.listPictures(message.conversation_id)).items,
  });
  return (found.data ?? []).filter(({ message_id }) => message_id === message.id);
}
