import { useQuery } from "@tanstack/react-query";
import { useApi } from "@/api/context";
import { hasCode } from "@/api/problem";
import type { Box, Health } from "@/api/types";
import { Lamp, type LampState } from "@/components/lamp";
import { lampOfHealth, useHealth } from "./health-state";
import { useIsUpdating } from "./updates-state";

const LOOK_AGAIN_MS = 10_000;

/** How the box is, asked again every ten seconds by whoever shows it. */
export function useBox() {
  const api = useApi();
  return useQuery({
    queryKey: ["box"],
    queryFn: () => api.getBox(),
    refetchInterval: LOOK_AGAIN_MS,
  });
}

export function lampOf(box: Box, health?: Health): LampState {
  const { engine } = box;
  const wrong = lampOfHealth(health);
  if (engine.state === "failed" || wrong === "trouble") return "trouble";
  if (engine.state === "starting" || engine.state === "loading") return "working";
  if (box.name_conflict || wrong === "notice") return "notice";
  return engine.active + engine.waiting > 0 ? "working" : "well";
}

/** The lamp of this box, wherever a page has its head. */
export function BoxLamp({ size }: { size: number }) {
  const box = useBox();
  const { data: health } = useHealth();
  const isUpdating = useIsUpdating();
  const state = box.error ? "trouble" : box.data ? lampOf(box.data, health) : "working";
  return <Lamp state={isUpdating ? "working" : state} size={size} />;
}

export function useIsAway(): boolean {
  return hasCode(useBox().error, "offline");
}
