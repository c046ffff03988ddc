import { ChevronRight, FolderPlus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import { useApi } from "@/api/context";
import type { Folder } from "@/api/library-types";
import { Confirm } from "@/components/confirm";
import { ProblemNote } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { addressOf, countIn, lastOf, parentOf, wayTo, within } from "./folder-names";
import { useLibraryAct } from "./use-folders";

interface Props {
  folder: string;
  folders: Folder[];
}

type Doing = "nothing" | "naming" | "renaming" | "deleting" | "removing";

/** Where in the library this is, and what can be done with the folder. */
export function FolderBar({ folder, folders }: Props) {
  const { t } = useTranslation();
  const [doing, setDoing] = useState<Doing>("nothing");
  const rest = (): void => setDoing("nothing");
  const { own } = countIn(folders, folder);
  const hasFolder = folder !== "" && own > 0;
  return (
    <section aria-label={t("library.folders.label")} className="grid gap-3">
      <Way folder={folder} />
      {doing === "nothing" ? (
        <div className="-ms-4 flex flex-wrap">
          <Button kind="quiet" onClick={() => setDoing("naming")}>
            <FolderPlus size={18} strokeWidth={1.75} aria-hidden="true" />
            {t("library.folders.new")}
          </Button>
          {hasFolder ? (
            <>
              <Button kind="quiet" onClick={() => setDoing("renaming")}>
                {t("library.folders.rename")}
              </Button>
              <Button kind="quiet" onClick={() => setDoing("deleting")}>
                {t("library.folders.delete")}
              </Button>
            </>
          ) : null}
        </div>
      ) : null}
      {doing === "naming" ? <NewFolder folder={folder} onDone={rest} /> : null}
      {doing === "renaming" ? <Rename folder={folder} onDone={rest} /> : null}
      {doing === "deleting" || doing === "removing" ? (
        <Delete
          folder={folder}
          folders={folders}
          isRemoving={doing === "removing"}
          onRemove={() => setDoing("removing")}
          onDone={rest}
        />
      ) : null}
    </section>
  );
}

function Way({ folder }: { folder: string }) {
  const { t } = useTranslation();
  if (folder === "") return null;
  return (
    <nav aria-label={t("library.folders.way")}>
      <ol className="flex flex-wrap items-center gap-x-1">
        {["", ...wayTo(folder)].map((step) => (
          <li key={step} className="flex min-w-0 items-center gap-x-1">
            {step === "" ? null : (
              <ChevronRight size={16} aria-hidden="true" className="shrink-0 text-soft" />
            )}
            {step === folder ? (
              <h2 aria-current="page" className="min-w-0 py-2 font-semibold break-words">
                {lastOf(step)}
              </h2>
            ) : (
              <Link
                to={addressOf(step)}
                className="flex min-h-11 min-w-11 items-center rounded-control px-1 break-words text-soft hover:underline"
              >
                {step === "" ? t("library.documents") : lastOf(step)}
              </Link>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}

interface NameProps {
  label: string;
  name: string;
  action: string;
  busy?: boolean;
  error?: unknown;
  onName: (name: string) => void;
  onCancel: () => void;
}

function NameForm({ label, name, action, busy, error, onName, onCancel }: NameProps) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(name);
  return (
    <form
      className="grid gap-3 rounded-card border border-line bg-surface p-4"
      onSubmit={(event) => {
        event.preventDefault();
        onName(typed);
      }}
    >
      <Field
        label={label}
        value={typed}
        maxLength={100}
        autoComplete="off"
        // Whoever pressed the button is about to type.
        // eslint-disable-next-line jsx-a11y/no-autofocus
        autoFocus
        onChange={(event) => setTyped(event.target.value)}
      />
      <ProblemNote error={error} />
      <div className="flex flex-wrap gap-2">
        <Button kind="primary" type="submit" busy={busy ?? false} disabled={!within("", typed)}>
          {action}
        </Button>
        <Button onClick={onCancel}>{t("cancel")}</Button>
      </div>
    </form>
  );
}

interface ActProps {
  folder: string;
  onDone: () => void;
}

/** A new folder is opened at once; it is there for good with the first document in it. */
function NewFolder({ folder, onDone }: ActProps) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  return (
    <NameForm
      label={t("library.folders.name")}
      name=""
      action={t("library.folders.make")}
      onName={(name) => void navigate(addressOf(within(folder, name)))}
      onCancel={onDone}
    />
  );
}

function Rename({ folder, onDone }: ActProps) {
  const api = useApi();
  const { t } = useTranslation();
  const navigate = useNavigate();
  const act = useLibraryAct();
  const rename = (name: string): void => {
    const next = within(parentOf(folder), name);
    if (next === folder) onDone();
    else
      act.mutate(() => api.renameFolder(folder, next), {
        onSuccess: () => void navigate(addressOf(next), { replace: true }),
      });
  };
  return (
    <NameForm
      label={t("library.folders.name")}
      name={lastOf(folder)}
      action={t("save")}
      busy={act.isPending}
      error={act.error}
      onName={rename}
      onCancel={onDone}
    />
  );
}

interface DeleteProps extends ActProps {
  folders: Folder[];
  isRemoving: boolean;
  onRemove: () => void;
}

/** Asks what becomes of the documents; losing them takes a second step. */
function Delete({ folder, folders, isRemoving, onRemove, onDone }: DeleteProps) {
  const api = useApi();
  const { t } = useTranslation();
  const navigate = useNavigate();
  const act = useLibraryAct();
  const { own, documents } = countIn(folders, folder);
  const name = lastOf(folder);
  const parent = parentOf(folder);
  const remove = (what: "keep" | "remove"): void =>
    act.mutate(() => api.deleteFolder(folder, what), {
      onSuccess: () => void navigate(addressOf(parent), { replace: true }),
    });
  const where = parent === "" ? t("library.documents") : lastOf(parent);
  return (
    <div className="grid gap-3">
      <ProblemNote error={act.error} />
      {isRemoving ? (
        <Confirm
          text={t("library.folders.removeText", { count: own })}
          action={t("library.folders.removeNow", { name })}
          word={name}
          busy={act.isPending}
          onConfirm={() => remove("remove")}
          onCancel={onDone}
        />
      ) : (
        <div
          role="group"
          aria-label={t("library.folders.delete")}
          className="grid gap-3 rounded-card border border-line bg-surface p-4"
        >
          <p className="break-words">{t("library.folders.deleteText", { name, count: own })}</p>
          {documents > own ? (
            <p className="text-sm text-soft">{t("library.folders.othersStay")}</p>
          ) : null}
          <div className="flex flex-wrap gap-2">
            <Button busy={act.isPending} onClick={() => remove("keep")}>
              {t("library.folders.keep", { where })}
            </Button>
            <Button kind="danger" disabled={act.isPending} onClick={onRemove}>
              {t("library.folders.remove")}
            </Button>
            <Button kind="quiet" onClick={onDone}>
              {t("cancel")}
            </Button>
          </div>
        </div>
      )}
    </div>
  );
}
