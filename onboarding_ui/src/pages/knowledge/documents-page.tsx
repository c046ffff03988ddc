import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { KnowledgeFile } from "@/api/library-types";
import { ProblemNote } from "@/components/problem";
import { Skeleton } from "@/components/ui/card";
import { Field } from "@/components/ui/field";
import { DocumentRow } from "./document-row";
import { LibraryFrame } from "./library-frame";
import { UploadCard } from "./upload-card";

const SETTLED = new Set(["ready", "failed"]);

function refreshEvery(files: KnowledgeFile[] | undefined): number | false {
  return files?.some(({ state }) => !SETTLED.has(state)) === true ? 700 : false;
}

export function DocumentsPage() {
  const api = useApi();
  const { t } = useTranslation();
  const [words, setWords] = useState("");
  const files = useQuery({
    queryKey: ["knowledge", words],
    queryFn: async () => (await api.listFiles({ query: words })).items,
    refetchInterval: (query) => refreshEvery(query.state.data),
    placeholderData: (before) => before,
  });
  const items = files.data ?? [];
  return (
    <LibraryFrame>
      <UploadCard />
      <ProblemNote error={files.error} />
      {items.length > 8 || words !== "" ? (
        <Field
          label={t("library.find")}
          type="search"
          value={words}
          onChange={(event) => setWords(event.target.value)}
        />
      ) : null}
      {files.isPending ? <Skeleton rows={4} /> : null}
      {files.data?.length === 0 ? <p className="text-soft">{t("library.none")}</p> : null}
      <ul className="grid gap-3">
        {items.map((file) => (
          <DocumentRow key={file.id} file={file} />
        ))}
      </ul>
    </LibraryFrame>
  );
}
