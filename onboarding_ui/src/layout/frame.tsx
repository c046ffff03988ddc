import { useQuery } from "@tanstack/react-query";
import { Cpu, MessageCircle, Users } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { NavLink } from "react-router";
import { useApi } from "@/api/context";
import { Lamp, type LampState } from "@/components/lamp";
import { CommandPalette } from "./command-palette";
import { DemoBanner } from "./demo-banner";
import { usePerson } from "./person";

const AREAS = [
  { to: "/chat", key: "areas.chat", Icon: MessageCircle },
  { to: "/box", key: "areas.box", Icon: Cpu },
  { to: "/people", key: "areas.people", Icon: Users },
] as const;

function useLamp(): LampState {
  const api = useApi();
  const box = useQuery({
    queryKey: ["box"],
    queryFn: () => api.getBox(),
    refetchInterval: 10_000,
  });
  if (box.error) return "trouble";
  const engine = box.data?.engine;
  if (engine === undefined || engine.state === "starting" || engine.state === "loading") {
    return "working";
  }
  if (engine.state === "failed") return "trouble";
  if (engine.active + engine.waiting > 0) return "working";
  return box.data?.name_conflict ? "notice" : "well";
}

/** Rail on wide screens, bar at the bottom on phones. */
export function Frame({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const person = usePerson();
  const lamp = useLamp();
  const [palette, setPalette] = useState(false);
  return (
    <div className="flex h-dvh flex-col-reverse md:flex-row">
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:bg-surface focus:p-3"
      >
        {t("skip")}
      </a>
      <nav
        aria-label={t("areas.label")}
        data-print="hidden"
        className="flex shrink-0 items-center justify-around gap-1 border-t border-line bg-paper px-2 py-1 md:w-20 md:flex-col md:justify-start md:border-e md:border-t-0 md:py-5"
      >
        <div className="hidden pb-5 md:block">
          <Lamp state={lamp} size={18} />
        </div>
        {AREAS.map(({ to, key, Icon }) => (
          <NavLink
            key={to}
            to={to}
            className="grid min-w-16 justify-items-center gap-0.5 rounded-control p-2 text-xs text-soft hover:bg-tint hover:text-ink aria-[current=page]:text-accent"
          >
            <Icon size={22} strokeWidth={1.75} aria-hidden="true" />
            {t(key)}
          </NavLink>
        ))}
        <span
          className="mt-auto hidden size-9 place-content-center rounded-full bg-tint font-semibold md:grid"
          title={person.name}
        >
          {person.name.slice(0, 1).toUpperCase()}
        </span>
      </nav>
      <div className="flex min-h-0 min-w-0 flex-1 flex-col">
        <DemoBanner />
        <main id="content" className="min-h-0 flex-1">
          {children}
        </main>
      </div>
      <CommandPalette open={palette} onOpenChange={setPalette} />
    </div>
  );
}
