import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useApi } from "@/api/context";
import type { KnowledgeFile } from "@/api/library-types";
import { Confirm } from "@/components/confirm";
import { size } from "@/components/numbers";
import { ProblemNote } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/card";
import { boxWords } from "@/i18n/box-words";

interface Props {
  file: KnowledgeFile;
  isChosen: boolean;
  onChoose: () => void;
}

/** A document: what it is, how far it has come, and what can be done with it. */
export function DocumentRow({ file, isChosen, onChoose }: Props) {
  const { t } = useTranslation();
  return (
    <li className="grid gap-3 rounded-card border border-line bg-surface p-4">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
        <h2 className="min-w-0 font-medium break-words">
          {file.state === "ready" ? (
            <Link to={`/library/documents/${file.id}`} className="hover:underline">
              {file.name}
            </Link>
          ) : (
            file.name
          )}
        </h2>
        <Standing file={file} />
      </div>
      <p className="text-sm text-soft">
        {[
          size(file.size_bytes),
          file.pages === null ? null : t("library.facts", { pages: file.pages }),
          file.passages > 0 ? t("library.passages", { count: file.passages }) : null,
          file.used_by > 0 ? t("library.usedBy", { count: file.used_by }) : null,
          t(`library.${file.visibility}`),
          file.folder,
        ]
          .filter(Boolean)
          .join(" · ")}
      </p>
      {file.why ? (
        <Notice>
          <p className="font-medium">{boxWords(file.why.message)}</p>
          <p>{boxWords(file.why.hint)}</p>
          {file.why.code === "no_model" ? (
            <Link
              to="/box/models#documents"
              className="inline-flex min-h-11 items-center underline"
            >
              {t("library.toModels")}
            </Link>
          ) : null}
        </Notice>
      ) : null}
      {file.mine ? <Acts file={file} isChosen={isChosen} onChoose={onChoose} /> : null}
    </li>
  );
}

/** The state in words, with a bar where it is known how far. */
function Standing({ file }: { file: KnowledgeFile }) {
  const { t } = useTranslation();
  const { state, done, total } = file;
  const percent = total > 0 ? Math.round((100 * done) / total) : 0;
  const words: Record<KnowledgeFile["state"], string> = {
    uploading: t("library.arriving"),
    processing: total > 0 ? t("library.processing", { done, total }) : t("library.reading"),
    indexing: t("library.indexing", { percent }),
    ready: t("library.ready"),
    failed: t("library.failed"),
  };
  const isMoving = state === "processing" || state === "indexing";
  return (
    <div className="grid gap-1 text-sm" role="status">
      <span className={state === "ready" ? "text-well" : "text-soft"}>{words[state]}</span>
      {isMoving && total > 0 ? (
        <progress max={total} value={done} aria-label={words[state]} className="h-1.5 w-32" />
      ) : null}
    </div>
  );
}

function Acts({ file, isChosen, onChoose }: Props) {
  const api = useApi();
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [isLeaving, setLeaving] = useState(false);
  const picker = useRef<HTMLInputElement>(null);
  const act = useMutation({
    mutationFn: (work: () => Promise<unknown>) => work(),
    onSettled: () => queries.invalidateQueries({ queryKey: ["knowledge"] }),
  });
  const visibility = file.visibility === "private" ? "household" : "private";
  if (isLeaving) {
    return (
      <Confirm
        text={t("library.removeText", { name: file.name })}
        action={t("library.removeNow", { name: file.name })}
        busy={act.isPending}
        onConfirm={() => act.mutate(() => api.removeFile(file.id))}
        onCancel={() => setLeaving(false)}
      />
    );
  }
  return (
    <>
      <ProblemNote error={act.error} />
      <div className="-ms-4 flex flex-wrap">
        <label className="flex min-h-11 cursor-pointer items-center gap-2 px-4 py-2 font-medium text-soft hover:text-ink">
          <input
            type="checkbox"
            className="size-5 accent-accent"
            aria-label={t("library.folders.choose", { name: file.name })}
            checked={isChosen}
            onChange={onChoose}
          />
          {t("library.folders.move")}
        </label>
        {file.state === "failed" ? (
          <Button kind="quiet" onClick={() => act.mutate(() => api.retryFile(file.id))}>
            {t("library.retry")}
          </Button>
        ) : null}
        <Button kind="quiet" onClick={() => picker.current?.click()}>
          {t("library.replace")}
        </Button>
        <input
          ref={picker}
          type="file"
          className="sr-only"
          tabIndex={-1}
          aria-label={`${t("library.replace")}: ${file.name}`}
          onChange={(event) => {
            const [chosen] = event.target.files ?? [];
            if (chosen) act.mutate(() => api.replaceFile(file.id, chosen));
            event.target.value = "";
          }}
        />
        <Button
          kind="quiet"
          onClick={() => act.mutate(() => api.updateFile(file.id, { visibility }))}
        >
          {t(file.visibility === "private" ? "library.share" : "library.unshare")}
        </Button>
        <Button kind="quiet" onClick={() => setLeaving(true)}>
          {t("library.remove")}
        </Button>
      </div>
    </>
  );
}
