import { useEffect, useRef } from "react";

interface Props {
  tex: string;
  display: boolean;
}

/** LaTeX as MathML, which browsers draw themselves: no style attribute, no font to fetch. */
export function Formula({ tex, display }: Props) {
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    let gone = false;
    void import("katex").then(({ default: katex }) => {
      if (gone || place.current === null) return;
      const options = { displayMode: display, output: "mathml", throwOnError: false } as const;
      katex.render(tex, place.current, options);
    });
    return () => {
      gone = true;
    };
  }, [tex, display]);
  return <span ref={place}>{tex}</span>;
}
