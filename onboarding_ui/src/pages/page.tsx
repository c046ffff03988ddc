import { clsx } from "clsx";
import type { ReactNode } from "react";
import { BoxLamp } from "@/layout/box-state";

interface Props {
  title: string;
  /** The page shows the lamp itself. */
  hasLamp?: boolean;
  /** Two things stand beside each other where there is room. */
  wide?: boolean;
  children: ReactNode;
}

/** An area's page: a heading and cards, scrolling by itself. */
export function Page({ title, hasLamp = false, wide = false, children }: Props) {
  return (
    <div className="h-full overflow-y-auto overscroll-contain">
      <div
        className={clsx("mx-auto grid w-full gap-5 p-4 sm:p-8", wide ? "max-w-6xl" : "max-w-4xl")}
      >
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
