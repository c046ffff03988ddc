import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { NavLink } from "react-router";
import { Page } from "../page";

const PARTS = [
  { to: "/library", key: "library.documents" },
  { to: "/library/assistants", key: "library.assistants" },
  { to: "/library/memories", key: "library.memories" },
] as const;

/** The library's three parts under one heading. */
export function LibraryFrame({ wide = false, children }: { wide?: boolean; children: ReactNode }) {
  const { t } = useTranslation();
  return (
    <Page title={t("library.title")} wide={wide}>
      <nav aria-label={t("library.sections")} className="flex flex-wrap gap-1">
        {PARTS.map(({ to, key }) => (
          <NavLink
            key={to}
            to={to}
            end
            className="grid min-h-11 place-content-center rounded-control px-3 text-soft hover:bg-tint aria-[current=page]:bg-tint aria-[current=page]:font-semibold aria-[current=page]:text-ink"
          >
            {t(key)}
          </NavLink>
        ))}
      </nav>
      {children}
    </Page>
  );
}
