import { useMutation } from "@tanstack/react-query";
import { useApi } from "@/api/context";
import type { Message } from "@/api/types";

/** Makes another answer beside `message`. */
export function useRegenerate(message: Message, onChanged: () => void) {
  const api = useApi();
  return useMutation({
    mutationFn: () => api.regenerateMessage(message.id),
    onSuccess: onChanged,
  });
}
