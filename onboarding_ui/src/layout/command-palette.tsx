import { useQuery } from "@tanstack/react-query";
import { clsx } from "clsx";
import {
  Brain,
  Cpu,
  HeartPulse,
  Library,
  type LucideIcon,
  MessageCircle,
  Plus,
  RefreshCw,
  Users,
} from "lucide-react";
import { Dialog } from "radix-ui";
import { type KeyboardEvent, useEffect, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { useApi } from "@/api/context";
import { inputLook } from "@/components/ui/field";
import { isAdministrator, usePerson } from "./person";

interface Props {
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

/** Ctrl or ⌘ with K: go anywhere by typing. */
export function CommandPalette({ open, onOpenChange }: Props) {
  const { t } = useTranslation();
  useEffect(() => {
    const listen = (event: globalThis.KeyboardEvent): void => {
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

interface Place {
  to: string;
  name: string;
  Icon: LucideIcon;
}

const SHOWN_CONVERSATIONS = 6;

function usePlaces(text: string): Place[] {
  const { t } = useTranslation();
  const api = useApi();
  const person = usePerson();
  const found = useQuery({
    queryKey: ["conversations", "palette", text],
    queryFn: () => api.listConversations(text.trim() === "" ? {} : { query: text }),
    placeholderData: (before) => before,
  });
  const areas: Place[] = [
    { to: "/chat", name: t("chat.new"), Icon: Plus },
    { to: "/library", name: t("library.title"), Icon: Library },
    { to: "/box", name: t("areas.box"), Icon: Cpu },
    { to: "/box/health", name: t("health.title"), Icon: HeartPulse },
    { to: "/box/models", name: t("models.title"), Icon: Brain },
    ...(isAdministrator(person)
      ? [{ to: "/box/updates", name: t("updates.title"), Icon: RefreshCw }]
      : []),
    { to: "/people", name: t("areas.people"), Icon: Users },
  ];
  const wanted = text.trim().toLowerCase();
  return [
    ...areas.filter(({ name }) => name.toLowerCase().includes(wanted)),
    ...(found.data?.items ?? []).slice(0, SHOWN_CONVERSATIONS).map((item) => ({
      to: `/chat/${item.id}`,
      name: item.title ?? t("chat.untitled"),
      Icon: MessageCircle,
    })),
  ];
}

function Choices({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const list = useId();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const places = usePlaces(text);
  const marked = Math.min(at, places.length - 1);
  const go = (place: Place | undefined): void => {
    if (!place) return;
    close();
    void navigate(place.to);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined || places.length === 0) return;
    event.preventDefault();
    setAt((marked + step + places.length) % places.length);
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        go(places[marked]);
      }}
    >
      <input
        role="combobox"
        aria-label={t("palette.title")}
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={places.length === 0 ? undefined : `${list}-${marked}`}
        placeholder={t("palette.placeholder")}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
        className={inputLook}
      />
      {places.length === 0 ? <p className="px-3 py-4 text-soft">{t("chat.nothingFound")}</p> : null}
      <div role="listbox" id={list} aria-label={t("palette.title")} className="mt-2 grid">
        {places.map((place, index) => (
          // The keyboard moves through the field above, as in every combobox.
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events
          <div
            key={place.to}
            id={`${list}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === marked}
            onClick={() => go(place)}
            onPointerMove={() => setAt(index)}
            className={clsx(
              "flex min-h-11 cursor-pointer items-center gap-3 rounded-control px-3",
              index === marked && "bg-tint",
            )}
          >
            <place.Icon size={18} strokeWidth={1.75} aria-hidden="true" className="text-soft" />
            <span className="truncate">{place.name}</span>
          </div>
        ))}
      </div>
    </form>
  );
}
