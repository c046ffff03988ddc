import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { clsx } from "clsx";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams, useSearchParams } from "react-router";
import { useApi } from "@/api/context";
import type { KnowledgePassage, PassagesFrom } from "@/api/library-types";
import { ProblemNote } from "@/components/problem";
import { Button, buttonLook } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/card";
import { Page } from "../page";
import { PagePicture, placeOf } from "./passage-place";

const AT_ONCE = 50;
/** What stands before the passage that was cited. */
const BEFORE = 5;

/** The passages of a document, from a little before the one at `position` on. */
function usePassages(fileId: string, position: number) {
  const api = useApi();
  const first = Math.max(0, position - BEFORE);
  return useInfiniteQuery({
    queryKey: ["knowledge", "passages", fileId, first],
    queryFn: ({ pageParam }) => api.listPassages(fileId, pageParam),
    initialPageParam: { first, limit: AT_ONCE },
    getPreviousPageParam: (_, __, top): PassagesFrom | null => {
      const start = Math.max(0, top.first - AT_ONCE);
      return top.first > 0 ? { first: start, limit: top.first - start } : null;
    },
    getNextPageParam: ({ next_first }): PassagesFrom | null =>
      next_first === null ? null : { first: next_first, limit: AT_ONCE },
  });
}

/** A document as the box reads it; the passage that was cited is marked. */
export function DocumentPage() {
  const api = useApi();
  const { t } = useTranslation();
  const { fileId = "" } = useParams();
  const [search] = useSearchParams();
  const cited = Number(search.get("passage") ?? Number.NaN);
  const page = Number(search.get("page") ?? Number.NaN);
  const file = useQuery({
    queryKey: ["knowledge", "one", fileId],
    queryFn: () => api.getFile(fileId),
  });
  const passages = usePassages(fileId, Number(search.get("at") ?? 0) || 0);
  return (
    <Page title={file.data?.name ?? ""}>
      <div className="flex flex-wrap gap-2">
        <Link to="/library" className={buttonLook()}>
          {t("library.back")}
        </Link>
        <a href={api.fileAddress(fileId)} download className={buttonLook()}>
          {t("library.download")}
        </a>
      </div>
      <ProblemNote error={file.error ?? passages.error} />
      {file.data?.kind === "pdf" && page >= 1 ? (
        <PagePicture fileId={fileId} name={file.data.name} page={page} />
      ) : null}
      <Passages passages={passages} cited={cited} />
    </Page>
  );
}

interface PassagesProps {
  passages: ReturnType<typeof usePassages>;
  /** The number of the one that was cited. */
  cited: number;
}

function Passages({ passages, cited }: PassagesProps) {
  const { t } = useTranslation();
  const items = passages.data?.pages.flatMap((one) => one.items) ?? [];
  return (
    <>
      {passages.isPending ? <Skeleton rows={6} /> : null}
      {passages.hasPreviousPage ? (
        <Button
          busy={passages.isFetchingPreviousPage}
          onClick={() => void passages.fetchPreviousPage()}
        >
          {t("library.before")}
        </Button>
      ) : null}
      <ol className="grid gap-4">
        {items.map((passage) => (
          <Passage key={passage.number} passage={passage} isCited={passage.number === cited} />
        ))}
      </ol>
      {passages.hasNextPage ? (
        <Button busy={passages.isFetchingNextPage} onClick={() => void passages.fetchNextPage()}>
          {t("library.more")}
        </Button>
      ) : null}
    </>
  );
}

function Passage({ passage, isCited }: { passage: KnowledgePassage; isCited: boolean }) {
  const { t } = useTranslation();
  const place = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isCited) place.current?.scrollIntoView({ block: "center" });
  }, [isCited]);
  return (
    <li
      ref={place}
      className={clsx(
        "rounded-card border p-4",
        isCited ? "border-accent bg-tint" : "border-line bg-surface",
      )}
    >
      <p className="mb-1 text-sm text-soft">
        {[placeOf(t, passage), passage.heading].filter(Boolean).join(" · ")}
      </p>
      <p className="whitespace-pre-wrap break-words">
        {isCited ? (
          <mark className="bg-transparent text-inherit">{passage.text}</mark>
        ) : (
          passage.text
        )}
      </p>
    </li>
  );
}
