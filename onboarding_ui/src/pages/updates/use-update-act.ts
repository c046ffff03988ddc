import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { Updates } from "@/api/types";

/** Does one thing about updates at a time; what the box answers is shown at once. */
export function useUpdateAct() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (act: () => Promise<Updates>) => act(),
    onSuccess: (updates) => queries.setQueryData(["updates"], updates),
    onError: () => queries.invalidateQueries({ queryKey: ["updates"] }),
  });
}
