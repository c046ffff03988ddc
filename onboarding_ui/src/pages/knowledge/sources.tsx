import { useQuery } from "@tanstack/react-query";
import { Dialog } from "radix-ui";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useApi } from "@/api/context";
import type { Source } from "@/api/library-types";
import { ProblemNote } from "@/components/problem";
import { Button, buttonLook } from "@/components/ui/button";
import { PagePicture, placeOf } from "./passage-place";

interface Props {
  /** The answer that is kept, and with it how they were found; null for one that is not. */
  messageId: string | null;
  sources: Source[];
  /** The number of the source that is shown. */
  opened: number | null;
  onOpen: (number: number | null) => void;
}

/** Under an answer: what was read for it, each source a click away, and how it was found. */
export default function Sources({ messageId, sources, opened, onOpen }: Props) {
  const { t } = useTranslation();
  const [isTraced, setTraced] = useState(false);
  const shown = sources.find(({ number }) => number === opened);
  return (
    <div className="grid justify-items-start gap-1 text-sm">
      {sources.length === 0 ? <p className="text-soft">{t("library.nothing")}</p> : null}
      <ol aria-label={t("library.sources")} className="flex flex-wrap gap-2 empty:hidden">
        {sources.map((source) => (
          <li key={source.number}>
            <button
              type="button"
              aria-label={t("library.source", { number: source.number, name: source.file_name })}
              onClick={() => onOpen(source.number)}
              className="flex min-h-9 max-w-72 items-center gap-2 rounded-control border border-line bg-surface px-2.5 hover:bg-tint pointer-coarse:min-h-11"
            >
              <span className="font-semibold text-accent">{source.number}</span>
              <span className="truncate">{source.file_name}</span>
              <span className="shrink-0 text-soft">{placeOf(t, source)}</span>
            </button>
          </li>
        ))}
      </ol>
      {messageId === null ? null : (
        <Button kind="quiet" className="-ms-4" onClick={() => setTraced(true)}>
          {t("library.how")}
        </Button>
      )}
      {shown ? <SourceSheet source={shown} onClose={() => onOpen(null)} /> : null}
      {isTraced && messageId !== null ? (
        <TraceSheet id={messageId} onClose={() => setTraced(false)} />
      ) : null}
    </div>
  );
}

interface SheetProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/** A sheet at the side, on a phone over the whole screen. */
function Sheet({ title, onClose, children }: SheetProps) {
  const { t } = useTranslation();
  return (
    // A modal dialog would inject a style element, which the content security policy refuses.
    <Dialog.Root modal={false} open onOpenChange={(open) => (open ? undefined : onClose())}>
      <Dialog.Portal>
        <div className="fixed inset-0 z-40 bg-black/30" aria-hidden="true" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed inset-y-0 end-0 z-50 grid w-full max-w-xl content-start gap-4 overflow-y-auto border-s border-line bg-paper p-5"
        >
          <div className="flex items-start justify-between gap-4">
            <Dialog.Title className="text-lg font-semibold break-words">{title}</Dialog.Title>
            <Dialog.Close className={buttonLook("quiet")}>{t("library.close")}</Dialog.Close>
          </div>
          {children}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function SourceSheet({ source, onClose }: { source: Source; onClose: () => void }) {
  const { t } = useTranslation();
  const { file_id: fileId, first_page: page, passage, position } = source;
  const place = `passage=${passage}&at=${position}${page === null ? "" : `&page=${page}`}`;
  return (
    <Sheet title={source.file_name} onClose={onClose}>
      <p className="text-sm text-soft">
        {[placeOf(t, source), source.heading].filter(Boolean).join(" · ")}
      </p>
      <blockquote className="rounded-card border border-line bg-surface p-4 whitespace-pre-wrap break-words">
        {source.text}
      </blockquote>
      {source.kind === "pdf" && page !== null ? (
        <PagePicture fileId={fileId} name={source.file_name} page={page} />
      ) : null}
      <Link to={`/library/documents/${fileId}?${place}`} className={buttonLook()}>
        {t("library.open")}
      </Link>
    </Sheet>
  );
}

function TraceSheet({ id, onClose }: { id: string; onClose: () => void }) {
  const api = useApi();
  const { t } = useTranslation();
  const found = useQuery({ queryKey: ["trace", id], queryFn: () => api.getTrace(id) });
  const trace = found.data?.trace;
  const way = trace?.by_meaning === true ? "library.byMeaning" : "library.byWords";
  return (
    <Sheet title={t("library.howTitle")} onClose={onClose}>
      <ProblemNote error={found.error} />
      {trace ? (
        <>
          <p>{t("library.searched", { words: trace.words.join(", ") })}</p>
          <p className="text-sm text-soft">{t(way, { seconds: found.data?.seconds ?? 0 })}</p>
          <ol className="grid gap-2">
            {trace.considered.map((one) => (
              <li key={one.number} className="rounded-control border border-line bg-surface p-3">
                <p className="break-words">
                  {[one.file_name, one.heading].filter(Boolean).join(" · ")}{" "}
                  {placeOf(t, { first_page: one.first_page, last_page: one.first_page })}
                </p>
                <p className="text-sm text-soft">
                  {t(`library.verdict.${one.verdict}`)}
                  {one.similarity === null
                    ? null
                    : ` · ${t("library.similarity", { value: one.similarity.toFixed(2) })}`}
                </p>
              </li>
            ))}
          </ol>
        </>
      ) : null}
    </Sheet>
  );
}
