import { useQuery } from "@tanstack/react-query";
import i18next from "i18next";
import { useApi } from "@/api/context";
import type { Health, Issue } from "@/api/types";
import type { LampState } from "@/components/lamp";

const LOOK_AGAIN_MS = 10_000;

export const HEALTH = ["health"];

/** What is measured and what is wrong, asked again every ten seconds by whoever shows it. */
export function useHealth() {
  const api = useApi();
  return useQuery({
    queryKey: HEALTH,
    queryFn: () => api.getBoxHealth(),
    retry: false,
    refetchInterval: LOOK_AGAIN_MS,
  });
}

const LAMP: Record<Issue["severity"], LampState> = {
  notice: "well",
  warning: "notice",
  critical: "trouble",
};

/** The lamp as the issues would have it; what is only good to know leaves it as it is. */
export function lampOfHealth(health: Health | undefined): LampState {
  return health?.severity ? LAMP[health.severity] : "well";
}

/** What the box says in several languages, in that of the page. */
export function inWords<Said>(words: Record<string, Said>): Said | undefined {
  return words[i18next.language] ?? words.en;
}
