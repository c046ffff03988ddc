import { useMutation, useQueryClient } from "@tanstack/react-query";
import { clsx } from "clsx";
import { Archive, MoreHorizontal, Pin } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { Fragment, type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { NavLink, useNavigate, useParams } from "react-router";
import { useApi } from "@/api/context";
import type { Conversation, UpdateConversation } from "@/api/types";
import { useProblemToast } from "@/components/problem";
import { useToast } from "@/components/toasts";
import { IconButton } from "@/components/ui/button";
import { inputLook } from "@/components/ui/field";

type Format = "markdown" | "json";
const SUFFIX: Record<Format, string> = { markdown: "md", json: "json" };

export function ConversationRow({ item }: { item: Conversation }) {
  const { t } = useTranslation();
  const [renaming, setRenaming] = useState(false);
  const actions = useActions(item);
  if (renaming) {
    return (
      <Rename
        title={item.title ?? ""}
        onDone={(title) => {
          setRenaming(false);
          if (title !== "" && title !== item.title) actions.change({ title });
        }}
      />
    );
  }
  return (
    <div className="group flex items-center rounded-control hover:bg-tint has-[[aria-current=page]]:bg-tint">
      <NavLink
        to={`/chat/${item.id}`}
        className="grid min-h-11 min-w-0 flex-1 content-center gap-0.5 px-2 py-1.5"
      >
        <span className="flex items-center gap-1.5 truncate">
          {item.pinned ? <Pin size={14} aria-label={t("chat.pinned")} /> : null}
          {item.archived ? <Archive size={14} aria-label={t("chat.archived")} /> : null}
          <span className="truncate">{item.title ?? t("chat.untitled")}</span>
        </span>
        {item.snippet ? (
          <span className="line-clamp-2 text-sm text-soft">
            {item.snippet.by_meaning ? (
              <>
                <span className="font-medium">{t("chat.byMeaning")}</span>{" "}
              </>
            ) : null}
            <Marked text={item.snippet.text} marks={item.snippet.marks} />
          </span>
        ) : null}
      </NavLink>
      {/* A modal menu would inject a style element, which the content security policy refuses. */}
      <DropdownMenu.Root modal={false}>
        <DropdownMenu.Trigger asChild>
          <IconButton label={t("chat.actions", { title: item.title ?? t("chat.untitled") })}>
            <MoreHorizontal size={18} />
          </IconButton>
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal container={document.getElementById("content")}>
          <DropdownMenu.Content
            align="end"
            className="z-50 min-w-44 rounded-card border border-line bg-surface p-1"
          >
            <Item onSelect={() => setRenaming(true)}>{t("chat.rename")}</Item>
            <Item onSelect={() => actions.change({ pinned: !item.pinned })}>
              {item.pinned ? t("chat.unpin") : t("chat.pin")}
            </Item>
            <Item onSelect={() => actions.change({ archived: !item.archived })}>
              {item.archived ? t("chat.unarchive") : t("chat.archive")}
            </Item>
            <Item onSelect={() => actions.save("markdown")}>{t("chat.exportMarkdown")}</Item>
            <Item onSelect={() => actions.save("json")}>{t("chat.exportJson")}</Item>
            <DropdownMenu.Separator className="my-1 h-px bg-line" />
            <Item onSelect={actions.remove} isDangerous>
              {t("chat.delete")}
            </Item>
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
    </div>
  );
}

function useActions(item: Conversation) {
  const api = useApi();
  const { t } = useTranslation();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { conversationId } = useParams();
  const toast = useToast();
  const onError = useProblemToast();
  const refresh = (): void => {
    void queries.invalidateQueries({ queryKey: ["conversations"] });
    void queries.invalidateQueries({ queryKey: ["conversation", item.id] });
  };
  const change = useMutation({
    mutationFn: (body: UpdateConversation) => api.updateConversation(item.id, body),
    onSuccess: refresh,
    onError,
  });
  const remove = useMutation({
    mutationFn: () => api.deleteConversation(item.id),
    onSuccess: () => {
      refresh();
      if (conversationId === item.id) void navigate("/chat");
      const undo = (): void => void api.restoreConversation(item.id).then(refresh, onError);
      toast(t("chat.deleted"), undo);
    },
    onError,
  });
  const save = useMutation({
    mutationFn: (format: Format) => api.exportConversation(item.id, format),
    onSuccess: (file, format) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(file);
      link.download = `${item.title ?? "conversation"}.${SUFFIX[format]}`;
      link.click();
      URL.revokeObjectURL(link.href);
    },
    onError,
  });
  return { change: change.mutate, remove: () => remove.mutate(), save: save.mutate };
}

interface ItemProps {
  onSelect: () => void;
  isDangerous?: boolean;
  children: ReactNode;
}

function Item({ onSelect, isDangerous = false, children }: ItemProps) {
  return (
    <DropdownMenu.Item
      onSelect={onSelect}
      className={clsx(
        "cursor-pointer rounded-control px-3 py-2 data-[highlighted]:bg-tint pointer-coarse:py-2.5",
        isDangerous && "text-trouble",
      )}
    >
      {children}
    </DropdownMenu.Item>
  );
}

function Rename({ title, onDone }: { title: string; onDone: (title: string) => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState(title);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onDone(text.trim());
      }}
    >
      <input
        ref={(input) => input?.focus()}
        aria-label={t("chat.rename")}
        value={text}
        maxLength={200}
        onChange={(event) => setText(event.target.value)}
        onBlur={() => onDone(text.trim())}
        onKeyDown={(event) => {
          if (event.key === "Escape") onDone("");
        }}
        className={inputLook}
      />
    </form>
  );
}

/** A found passage; its marks count code points, of which an emoji is one. */
export function Marked({ text, marks }: { text: string; marks: [number, number][] }) {
  const points = Array.from(text);
  const cut = (start: number, end?: number): string => points.slice(start, end).join("");
  return (
    <>
      {marks.map(([start, end], index) => (
        <Fragment key={start}>
          {cut(marks[index - 1]?.[1] ?? 0, start)}
          <mark>{cut(start, end)}</mark>
        </Fragment>
      ))}
      {cut(marks.at(-1)?.[1] ?? 0)}
    </>
  );
}
