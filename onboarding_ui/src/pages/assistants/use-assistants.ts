import { useQuery } from "@tanstack/react-query";
import { useApi } from "@/api/context";

/** The assistants that the person may ask. */
export function useAssistants() {
  const api = useApi();
  return useQuery({
    queryKey: ["assistants", "usable"],
    queryFn: async () => (await api.listAssistants({ deleted: false })).items,
  });
}
