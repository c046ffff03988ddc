import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useApi } from "@/api/context";

export function useFolders() {
  const api = useApi();
  return useQuery({
    queryKey: ["knowledge", "folders"],
    queryFn: async () => (await api.listFolders()).items,
  });
}

/** Something that changes documents or folders; the lists are asked for anew after it. */
export function useLibraryAct() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (work: () => Promise<unknown>) => work(),
    onSettled: () => queries.invalidateQueries({ queryKey: ["knowledge"] }),
  });
}
