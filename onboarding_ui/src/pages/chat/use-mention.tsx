import { type KeyboardEvent, type RefObject, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Assistant } from "@/api/library-types";
import { useAssistants } from "../assistants/use-assistants";

const ASKED = /(?:^|\s)@([^\s@]{0,30})$/;
const MOST = 6;

interface Mention {
  name: string;
  start: number;
  end: number;
}

/** The `@` and what follows it right before the caret; none within a word, as in an address. */
export function mentionAt(text: string, caret: number): Mention | null {
  const asked = ASKED.exec(text.slice(0, caret));
  if (asked?.[1] === undefined) return null;
  return { name: asked[1], start: caret - asked[1].length - 1, end: caret };
}

function isMeant({ name }: Assistant, typed: string): boolean {
  const words = [name, ...name.split(/\s+/)];
  return words.some((word) => word.toLowerCase().startsWith(typed.toLowerCase()));
}

interface Asking {
  area: RefObject<HTMLTextAreaElement | null>;
  text: string;
  setText: (text: string) => void;
  onChoose: ((assistantId: string) => void) | undefined;
}

/** Lets `@` in a message choose who answers; what was typed for it does not stay in the message. */
export function useMention({ area, text, setText, onChoose }: Asking) {
  const { t } = useTranslation();
  const listId = useId();
  const assistants = useAssistants();
  const [caret, setCaret] = useState(0);
  const [marked, setMarked] = useState(0);
  const [left, setLeft] = useState<number | null>(null);
  const mention = onChoose ? mentionAt(text, caret) : null;
  const options =
    mention && mention.start !== left
      ? (assistants.data ?? []).filter((each) => isMeant(each, mention.name)).slice(0, MOST)
      : [];
  const at = Math.min(marked, options.length - 1);
  const choose = (assistant: Assistant | undefined): void => {
    if (!assistant || !mention || !onChoose) return;
    setText((text.slice(0, mention.start) + text.slice(mention.end)).trimStart());
    onChoose(assistant.id);
    area.current?.focus();
  };
  const onCaret = (): void => {
    setCaret(area.current?.selectionStart ?? 0);
    setMarked(0);
  };
  const onKeyDown = (event: KeyboardEvent): boolean => {
    if (options.length === 0 || event.nativeEvent.isComposing) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) setMarked((at + step + options.length) % options.length);
    else if (event.key === "Enter" || event.key === "Tab") choose(options[at]);
    else if (event.key === "Escape") setLeft(mention?.start ?? null);
    else return false;
    event.preventDefault();
    return true;
  };
  const list =
    options.length > 0 ? (
      <div
        id={listId}
        role="listbox"
        aria-label={t("library.assistant.chip")}
        className="mb-1 grid gap-1 border-b border-line pb-1"
      >
        {options.map((assistant, index) => (
          <button
            type="button"
            tabIndex={-1}
            key={assistant.id}
            id={`${listId}-${index}`}
            role="option"
            aria-selected={index === at}
            // The message keeps the caret.
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => choose(assistant)}
            className="flex min-h-11 cursor-pointer items-center rounded-control px-2 text-start break-words aria-selected:bg-tint"
          >
            {assistant.name}
          </button>
        ))}
      </div>
    ) : null;
  const marks =
    options.length > 0
      ? { "aria-controls": listId, "aria-activedescendant": `${listId}-${at}` }
      : {};
  const described = { "aria-autocomplete": "list", onSelect: onCaret, ...marks } as const;
  return { list, onCaret, onKeyDown, described };
}
