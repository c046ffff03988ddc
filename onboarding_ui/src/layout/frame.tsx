import { Cpu, LibraryBig, MessageCircle, Users } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { NavLink } from "react-router";
import { BoxLamp, useIsAway } from "./box-state";
import { CommandPalette } from "./command-palette";
import { DemoBanner } from "./demo-banner";
import { usePerson } from "./person";
import { useIsSwitching } from "./updates-state";
import { useVisibleHeight } from "./use-visible-height";

const AREAS = [
  { to: "/chat", key: "areas.chat", Icon: MessageCircle },
  { to: "/library", key: "library.title", Icon: LibraryBig },
  { to: "/box", key: "areas.box", Icon: Cpu },
  { to: "/people", key: "areas.people", Icon: Users },
] as const;

/** Rail on wide screens, bar at the bottom on phones. */
export function Frame({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const [palette, setPalette] = useState(false);
  useVisibleHeight();
  return (
    <div className="frame flex flex-col-reverse md:flex-row">
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:bg-surface focus:p-3"
      >
        {t("skip")}
      </a>
      <Areas />
      <div className="flex min-h-0 min-w-0 flex-1 flex-col">
        <AwayBanner />
        <DemoBanner />
        <main id="content" className="min-h-0 flex-1">
          {children}
        </main>
      </div>
      <CommandPalette open={palette} onOpenChange={setPalette} />
    </div>
  );
}

function Areas() {
  const { t } = useTranslation();
  const person = usePerson();
  return (
    <nav
      aria-label={t("areas.label")}
      data-print="hidden"
      className="flex shrink-0 items-center justify-around gap-1 border-t border-line bg-paper px-2 pt-1 pb-[max(0.25rem,env(safe-area-inset-bottom))] md:w-24 md:flex-col md:justify-start md:border-e md:border-t-0 md:py-5"
    >
      <div className="hidden pb-5 md:block">
        <BoxLamp size={18} />
      </div>
      {AREAS.map(({ to, key, Icon }) => (
        <NavLink
          key={to}
          to={to}
          className="grid min-w-16 justify-items-center gap-0.5 rounded-control p-2 text-xs text-soft hover:bg-tint hover:text-ink aria-[current=page]:font-semibold aria-[current=page]:text-accent"
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
  );
}

/** What was loaded stays readable while the box cannot be reached; this says why nothing moves. */
function AwayBanner() {
  const { t } = useTranslation();
  const isSwitching = useIsSwitching();
  if (!useIsAway()) return null;
  if (isSwitching) {
    return (
      <p role="status" className="bg-notice-tint px-4 py-2 text-center text-sm">
        <span className="font-medium">{t("updates.restarting")}</span> {t("updates.restartingHint")}
      </p>
    );
  }
  return (
    <p role="alert" className="bg-trouble-tint px-4 py-2 text-center text-sm">
      <span className="font-medium">{t("problem.offline")}</span> {t("problem.offlineHint")}
    </p>
  );
}
