import { useQuery } from "@tanstack/react-query";
import { Dialog } from "radix-ui";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { useApi } from "@/api/context";
import { inputLook } from "@/components/ui/field";

interface Props {
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

/** Ctrl or ⌘ with K: go anywhere by typing. */
export function CommandPalette({ open, onOpenChange }: Props) {
  const { t } = useTranslation();
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        onOpenChange(true);
      }
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, [onOpenChange]);
  return (
    // A modal dialog would inject a style element, which the content security policy refuses.
    <Dialog.Root modal={false} open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <div className="fixed inset-0 z-40 bg-black/30" aria-hidden="true" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed inset-x-4 top-[12vh] z-50 mx-auto max-w-lg rounded-card border border-line bg-surface p-3"
        >
          <Dialog.Title className="sr-only">{t("palette.title")}</Dialog.Title>
          <Choices close={() => onOpenChange(false)} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Choices({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const api = useApi();
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const found = useQuery({
    queryKey: ["conversations", "palette", text],
    queryFn: () => api.listConversations(text.trim() === "" ? {} : { query: text }),
  });
  const places = [
    { to: "/chat", name: t("chat.new") },
    { to: "/box", name: t("areas.box") },
    { to: "/box/models", name: t("models.title") },
    { to: "/people", name: t("areas.people") },
  ].filter(({ name }) => name.toLowerCase().includes(text.toLowerCase()));
  const conversations = (found.data?.items ?? []).slice(0, 6).map((item) => ({
    to: `/chat/${item.id}`,
    name: item.title ?? t("chat.untitled"),
  }));
  const go = (to: string): void => {
    close();
    void navigate(to);
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const first = [...places, ...conversations][0];
        if (first) go(first.to);
      }}
    >
      <input
        aria-label={t("palette.title")}
        placeholder={t("palette.placeholder")}
        value={text}
        onChange={(event) => setText(event.target.value)}
        className={inputLook}
      />
      <ul className="mt-2 grid">
        {[...places, ...conversations].map(({ to, name }) => (
          <li key={to}>
            <button
              type="button"
              onClick={() => go(to)}
              className="w-full truncate rounded-control px-3 py-2 text-start hover:bg-tint"
            >
              {name}
            </button>
          </li>
        ))}
      </ul>
    </form>
  );
}
