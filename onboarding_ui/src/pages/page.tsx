import type { ReactNode } from "react";
import { BoxLamp } from "@/layout/box-state";

interface Props {
  title: string;
  /** The page shows the lamp itself. */
  hasLamp?: boolean;
  children: ReactNode;
}

/** An area's page: a heading and cards, scrolling by itself. */
export function Page({ title, hasLamp = false, children }: Props) {
  return (
    <div className="h-full overflow-y-auto overscroll-contain">
      <div className="mx-auto grid w-full max-w-4xl gap-5 p-4 sm:p-8">
        <header className="flex items-center justify-between gap-4">
          <h1 className="font-serif text-3xl">{title}</h1>
          {hasLamp ? null : (
            <span className="me-2 md:hidden">
              <BoxLamp size={14} />
            </span>
          )}
        </header>
        {children}
      </div>
    </div>
  );
}
