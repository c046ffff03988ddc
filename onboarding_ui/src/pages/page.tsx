import type { ReactNode } from "react";

/** An area's page: a heading and cards, scrolling by itself. */
export function Page({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto grid w-full max-w-4xl gap-5 p-4 sm:p-8">
        <h1 className="font-serif text-3xl">{title}</h1>
        {children}
      </div>
    </div>
  );
}
