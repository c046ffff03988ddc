import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { Folder, KnowledgeFile } from "@/api/library-types";
import { ProblemNote } from "@/components/problem";
import { useToast } from "@/components/toasts";
import { Button } from "@/components/ui/button";
import { Field, inputLook } from "@/components/ui/field";
import { lastOf, within } from "./folder-names";
import { useLibraryAct } from "./use-folders";

/** No folder can be called that. */
const NEW = "/";

interface Props {
  chosen: KnowledgeFile[];
  folders: Folder[];
  onDone: () => void;
}

/** Takes the chosen documents to another folder, with a way back. */
export function MoveBar({ chosen, folders, onDone }: Props) {
  const api = useApi();
  const { t } = useTranslation();
  const toast = useToast();
  const act = useLibraryAct();
  const [target, setTarget] = useState("");
  const [made, setMade] = useState("");
  const folder = target === NEW ? within("", made) : target;
  const move = (): void => {
    const ids = chosen.map(({ id }) => id);
    const places = new Set(chosen.map((file) => file.folder));
    const from = (place: string): string[] =>
      chosen.filter((file) => file.folder === place).map(({ id }) => id);
    const back = (): Promise<unknown> =>
      Promise.all([...places].map((place) => api.moveFiles(from(place), place)));
    act.mutate(() => api.moveFiles(ids, folder), {
      onSuccess: () => {
        const name = folder === "" ? t("library.documents") : lastOf(folder);
        toast(t("library.folders.moved", { count: ids.length, name }), () => act.mutate(back));
        onDone();
      },
    });
  };
  return (
    <form
      aria-label={t("library.folders.move")}
      className="sticky bottom-2 z-10 grid gap-3 rounded-card border border-edge bg-surface p-4"
      onSubmit={(event) => {
        event.preventDefault();
        move();
      }}
    >
      <ProblemNote error={act.error} />
      <div className="grid gap-3 sm:grid-cols-2">
        <div className="grid gap-1.5">
          <label htmlFor="move-target" className="text-sm font-medium">
            {t("library.folders.moveTo", { count: chosen.length })}
          </label>
          <select
            id="move-target"
            className={inputLook}
            value={target}
            onChange={(event) => setTarget(event.target.value)}
          >
            <option value="">{t("library.folders.none")}</option>
            {folders.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
            <option value={NEW}>{t("library.folders.newOne")}</option>
          </select>
        </div>
        {target === NEW ? (
          <Field
            label={t("library.folders.name")}
            value={made}
            maxLength={100}
            autoComplete="off"
            onChange={(event) => setMade(event.target.value)}
          />
        ) : null}
      </div>
      <div className="flex flex-wrap gap-2">
        <Button
          kind="primary"
          type="submit"
          busy={act.isPending}
          disabled={target === NEW && folder === ""}
        >
          {t("library.folders.moveNow")}
        </Button>
        <Button onClick={onDone}>{t("cancel")}</Button>
      </div>
    </form>
  );
}
