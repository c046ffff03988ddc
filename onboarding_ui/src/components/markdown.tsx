import { lazy, Suspense } from "react";

const Rendered = lazy(() => import("./markdown-rendered"));

/** An answer as Markdown; its plain text stands there until the renderer has come. */
export function Markdown({ text }: { text: string }) {
  return (
    <Suspense fallback={<p className="prose whitespace-pre-wrap">{text}</p>}>
      <Rendered text={text} />
    </Suspense>
  );
}
