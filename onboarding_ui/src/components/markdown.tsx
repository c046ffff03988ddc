import { lazy, Suspense } from "react";
import type { Citation } from "./markdown-rendered";

const Rendered = lazy(() => import("./markdown-rendered"));

interface Props {
  text: string;
  /** The sources that a number in the text, as `[2]`, opens; without, it is text. */
  citations?: Citation[];
  onCite?: (number: number) => void;
}

const NONE: Citation[] = [];
const nothing = (): void => undefined;

/** An answer as Markdown; its plain text stands there until the renderer has come. */
export function Markdown({ text, citations = NONE, onCite = nothing }: Props) {
  return (
    <Suspense fallback={<p className="prose whitespace-pre-wrap">{text}</p>}>
      <Rendered text={text} citations={citations} onCite={onCite} />
    </Suspense>
  );
}
