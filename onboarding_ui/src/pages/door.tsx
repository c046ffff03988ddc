import type { ReactNode } from "react";
import { Lamp } from "@/components/lamp";

export const quietLink =
  "inline-flex min-h-11 items-center justify-center text-sm text-soft underline underline-offset-4 hover:text-ink";

/** The page in front of the box: one card on paper with the lamp above it. */
export function Door({
  title,
  help,
  children,
}: {
  title: string;
  help?: string;
  children: ReactNode;
}) {
  return (
    <main className="mx-auto flex min-h-dvh w-full max-w-[440px] flex-col items-center gap-6 px-4 pt-[max(2.5rem,14dvh)] pb-8">
      <Lamp state="well" size={26} />
      <section className="grid w-full gap-5 rounded-card border border-line bg-surface p-6 sm:p-8">
        <header className="grid gap-2">
          <h1 className="font-serif text-3xl leading-tight">{title}</h1>
          {help === undefined ? null : <p className="text-soft">{help}</p>}
        </header>
        {children}
      </section>
    </main>
  );
}
