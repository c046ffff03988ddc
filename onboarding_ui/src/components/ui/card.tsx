import { clsx } from "clsx";
import type { ReactNode } from "react";

export function Card({
  title,
  children,
  className,
}: {
  title?: string;
  children: ReactNode;
  className?: string;
}) {
  return (
    <section className={clsx("rounded-card border border-line bg-surface p-5", className)}>
      {title === undefined ? null : <h2 className="mb-3 text-lg font-semibold">{title}</h2>}
      {children}
    </section>
  );
}

/** A short message that stays: what happened and what to do next. */
export function Notice({
  tone = "notice",
  children,
}: {
  tone?: "notice" | "trouble";
  children: ReactNode;
}) {
  const look = tone === "trouble" ? "bg-trouble-tint" : "bg-notice-tint";
  return (
    <div
      role={tone === "trouble" ? "alert" : "status"}
      className={clsx("rounded-control p-3", look)}
    >
      {children}
    </div>
  );
}

export function Skeleton({ rows }: { rows: number }) {
  return (
    <div aria-hidden="true" className="grid gap-3 p-2">
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="skeleton h-9" />
      ))}
    </div>
  );
}
