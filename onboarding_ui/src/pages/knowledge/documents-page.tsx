import { useQuery } from "@tanstack/react-query";
import { Folder as FolderIcon } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { useApi } from "@/api/context";
import type { Folder, KnowledgeFile } from "@/api/library-types";
import { ProblemNote } from "@/components/problem";
import { Skeleton } from "@/components/ui/card";
import { Field } from "@/components/ui/field";
import { DocumentRow } from "./document-row";
import { FolderBar } from "./folder-bar";
import { addressOf, inside, lastOf } from "./folder-names";
import { LibraryFrame } from "./library-frame";
import { MoveBar } from "./move-bar";
import { UploadCard } from "./upload-card";
import { useFolders } from "./use-folders";

const SETTLED = new Set(["ready", "failed"]);
/** From as many documents and folders on, they are easier to find by name. */
const MANY = 8;

function refreshEvery(files: KnowledgeFile[] | undefined): number | false {
  return files?.some(({ state }) => !SETTLED.has(state)) === true ? 700 : false;
}

export function DocumentsPage() {
  const [search] = useSearchParams();
  const folder = search.get("folder") ?? "";
  return (
    <LibraryFrame>
      <Shelf key={folder} folder={folder} />
    </LibraryFrame>
  );
}

/** The documents of one folder; from the top, names are looked for everywhere. */
function useFiles(folder: string, words: string) {
  const api = useApi();
  return useQuery({
    queryKey: ["knowledge", "files", folder, words],
    queryFn: async () => {
      const everywhere = folder === "" && words !== "";
      return (await api.listFiles(everywhere ? { query: words } : { folder, query: words })).items;
    },
    refetchInterval: (query) => refreshEvery(query.state.data),
    placeholderData: (before) => before,
  });
}

/** One folder: the folders and the documents in it. */
function Shelf({ folder }: { folder: string }) {
  const { t } = useTranslation();
  const [words, setWords] = useState("");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const folders = useFolders();
  const files = useFiles(folder, words);
  const items = files.data ?? [];
  const known = folders.data ?? [];
  const shelves = words === "" ? inside(known, folder) : [];
  const picked = items.filter(({ id }) => chosen.has(id));
  const choose = (id: string): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  const isEmpty = files.data?.length === 0 && folders.data !== undefined && shelves.length === 0;
  return (
    <>
      <FolderBar folder={folder} folders={known} />
      <UploadCard folder={folder} />
      <ProblemNote error={files.error ?? folders.error} />
      {items.length + shelves.length > MANY || words !== "" ? (
        <Field
          label={t("library.find")}
          type="search"
          value={words}
          onChange={(event) => setWords(event.target.value)}
        />
      ) : null}
      {files.isPending ? <Skeleton rows={4} /> : null}
      {isEmpty ? <Nothing folder={folder} words={words} /> : null}
      {shelves.length > 0 ? <FolderList folders={shelves} /> : null}
      <ul aria-label={t("library.documents")} className="grid gap-3 empty:hidden">
        {items.map((file) => (
          <DocumentRow
            key={file.id}
            file={file}
            isChosen={chosen.has(file.id)}
            onChoose={() => choose(file.id)}
          />
        ))}
      </ul>
      {picked.length > 0 ? (
        <MoveBar chosen={picked} folders={known} onDone={() => setChosen(new Set())} />
      ) : null}
    </>
  );
}

function Nothing({ folder, words }: { folder: string; words: string }) {
  const { t } = useTranslation();
  const why = folder === "" ? t("library.none") : t("library.folders.empty");
  return <p className="text-soft">{words === "" ? why : t("library.notFound")}</p>;
}

function FolderList({ folders }: { folders: Folder[] }) {
  const { t } = useTranslation();
  return (
    <ul aria-label={t("library.folders.label")} className="grid gap-2 sm:grid-cols-2">
      {folders.map(({ name, documents }) => (
        <li key={name} className="min-w-0">
          <Link
            to={addressOf(name)}
            className="flex h-full min-h-11 items-center gap-3 rounded-card border border-line bg-surface p-3 hover:bg-tint"
          >
            <FolderIcon size={20} strokeWidth={1.75} aria-hidden="true" className="shrink-0" />
            <span className="min-w-0 flex-1 font-medium break-words">{lastOf(name)}</span>{" "}
            <span className="shrink-0 text-sm text-soft">
              {t("library.folders.documents", { count: documents })}
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
