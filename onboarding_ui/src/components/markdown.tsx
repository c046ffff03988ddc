import { lazy, Suspense } from "react";

const Rendered = lazy(() => import("./markdown-rendered"));

interface Props {
  text: string;
  /** Opens a source; `[2]` in the text then does it. */
  onCite?: ((number: number) => void) | undefined;
}

/** An answer as Markdown; its plain text stands there until the renderer has come. */
export function Markdown({ text, onCite }: Props) {
  return (
    <Suspense fallback={<p className="prose whitespace-pre-wrap">{text}</p>}>
      <Rendered text={text} onCite={onCite} />
    </Suspense>
  );
}
