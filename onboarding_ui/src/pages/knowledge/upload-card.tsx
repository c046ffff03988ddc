import { useQueryClient } from "@tanstack/react-query";
import { clsx } from "clsx";
import { FilePlus2 } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { ProblemNote } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { type Dropped, openDropped } from "./dropped";
import { within } from "./folder-names";

interface Arriving {
  id: number;
  name: string;
  share: number;
  error: unknown;
}

/** Sends files one after the other; those that are refused stay and say why. */
function useUploads(folder: string) {
  const api = useApi();
  const queries = useQueryClient();
  const [arriving, setArriving] = useState<Arriving[]>([]);
  const next = useRef(0);
  const put = (id: number, change: Partial<Arriving>): void =>
    setArriving((all) => all.map((one) => (one.id === id ? { ...one, ...change } : one)));
  const send = async (files: Dropped[]): Promise<void> => {
    const queue = files.map((dropped) => ({ ...dropped, id: (next.current += 1) }));
    const shown = queue.map(({ file, id }) => ({ id, name: file.name, share: 0, error: null }));
    setArriving((all) => [...all.filter(({ error }) => error === null), ...shown]);
    for (const { file, id, folder: inner } of queue) {
      const visibility = "private";
      const onProgress = (share: number): void => put(id, { share });
      try {
        await api.addFile({ file, folder: within(folder, inner), visibility, onProgress });
        setArriving((all) => all.filter((one) => one.id !== id));
      } catch (error) {
        put(id, { error });
      }
      await queries.invalidateQueries({ queryKey: ["knowledge"] });
    }
  };
  return { arriving, send };
}

/** Files that are dropped anywhere in the window; a browser would leave the page and open them. */
function useDropAnywhere(onOver: (isOver: boolean) => void, onDrop: (files: DataTransfer) => void) {
  useEffect(() => {
    const over = (event: DragEvent): void => {
      if (event.dataTransfer?.types.includes("Files") !== true) return;
      event.preventDefault();
      onOver(true);
    };
    const leave = (event: DragEvent): void => {
      if (event.relatedTarget === null) onOver(false);
    };
    const drop = (event: DragEvent): void => {
      if (event.dataTransfer?.types.includes("Files") !== true) return;
      event.preventDefault();
      onOver(false);
      onDrop(event.dataTransfer);
    };
    window.addEventListener("dragover", over);
    window.addEventListener("dragleave", leave);
    window.addEventListener("drop", drop);
    return () => {
      window.removeEventListener("dragover", over);
      window.removeEventListener("dragleave", leave);
      window.removeEventListener("drop", drop);
    };
  }, [onOver, onDrop]);
}

/** Where documents are dropped or chosen; they go into the folder that is open. */
export function UploadCard({ folder }: { folder: string }) {
  const { t } = useTranslation();
  const id = useId();
  const [isOver, setOver] = useState(false);
  const picker = useRef<HTMLInputElement>(null);
  const { arriving, send } = useUploads(folder);
  useDropAnywhere(setOver, (transfer) => void openDropped(transfer).then(send));
  return (
    <section
      aria-label={t("library.add")}
      className={clsx(
        "grid justify-items-center gap-3 rounded-card border border-dashed p-6 text-center",
        isOver ? "border-accent bg-tint" : "border-edge bg-surface",
      )}
    >
      <FilePlus2 size={28} strokeWidth={1.75} aria-hidden="true" className="text-soft" />
      <p>{t("library.drop")}</p>
      <label htmlFor={id} className="sr-only">
        {t("library.add")}
      </label>
      <input
        id={id}
        ref={picker}
        type="file"
        multiple
        className="sr-only"
        tabIndex={-1}
        onChange={(event) => {
          void send([...(event.target.files ?? [])].map((file) => ({ file, folder: "" })));
          event.target.value = "";
        }}
      />
      <Button kind="primary" onClick={() => picker.current?.click()}>
        {t("library.add")}
      </Button>
      <p className="text-sm text-soft">{t("library.kinds")}</p>
      <ul className="grid w-full gap-2 empty:hidden" aria-live="polite">
        {arriving.map(({ id: key, name, share, error }) => (
          <li key={key} className="grid gap-1 text-start">
            <span className="truncate">{name}</span>
            {error === null ? (
              <span className="text-sm text-soft">
                {t("library.uploading", { percent: Math.round(share * 100) })}
              </span>
            ) : (
              <ProblemNote error={error} />
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
