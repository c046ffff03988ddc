import { ArrowUp, Square } from "lucide-react";
import { type ReactNode, type RefObject, useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { ProblemNote } from "@/components/problem";
import { IconButton } from "@/components/ui/button";
import { ChosenPictures, PicturePicker } from "./chosen-pictures";
import { useMention } from "./use-mention";

const LIMIT = 1_000_000;
const MAX_LINES_PX = 8 * 25 + 24;

interface Props {
  /** Under which name what is typed survives a reload; null where it does not. */
  draftKey: string | null;
  /** Nothing but words can be sent from here. */
  wordsOnly?: boolean;
  busy: boolean;
  error: unknown;
  tools?: (draft: string) => ReactNode;
  /** Rejects when the message did not reach the box; all of it then stands there again. */
  onSend: (text: string, pictures: File[]) => Promise<unknown>;
  onStop?: (() => void) | undefined;
  /** Somebody was named with `@`. */
  onAssistant?: (assistantId: string) => void;
}

function useDraft(key: string | null): [string, (text: string) => void] {
  const name = `draft:${key}`;
  const [text, setText] = useState(() => (key === null ? null : localStorage.getItem(name)) ?? "");
  const keep = (next: string): void => {
    setText(next);
    if (key === null) return;
    if (next === "") localStorage.removeItem(name);
    else localStorage.setItem(name, next.slice(0, 100_000));
  };
  return [text, keep];
}

/** The field that holds `text` is as high as that, up to eight lines. */
function useGrowing(text: string): RefObject<HTMLTextAreaElement | null> {
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const box = area.current;
    if (!box) return;
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight, MAX_LINES_PX)}px`;
  }, [text]);
  return area;
}

/** Grows to eight lines; Enter sends, Shift with Enter breaks; what was typed survives a reload. */
export function Composer(props: Props) {
  const { draftKey, wordsOnly = false, busy, error, tools, onSend, onStop, onAssistant } = props;
  const { t } = useTranslation();
  const [text, setText] = useDraft(draftKey);
  const [pictures, setPictures] = useState<File[]>([]);
  const area = useGrowing(text);
  const mention = useMention({ area, text, setText, onChoose: onAssistant });
  const tooLong = text.length > LIMIT;
  const isEmpty = text.trim() === "";
  const lacksWords = isEmpty && pictures.length > 0;
  const hintId = useId();
  const send = (): void => {
    if (isEmpty || tooLong || busy || onStop) return;
    setText("");
    setPictures([]);
    onSend(text, pictures).catch(() => {
      setText(text);
      setPictures(pictures);
    });
  };
  return (
    <form
      data-print="hidden"
      className="mx-auto grid w-full max-w-3xl gap-2 px-3 pb-3"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <ProblemNote error={error} />
      {tooLong ? <p className="text-sm text-trouble">{t("chat.tooLong")}</p> : null}
      <div className="rounded-card border border-edge bg-surface p-2 focus-within:border-accent">
        {mention.list}
        <ChosenPictures
          chosen={pictures}
          onChange={setPictures}
          missingWords={lacksWords ? hintId : null}
        />
        <textarea
          ref={area}
          rows={1}
          aria-label={t("chat.message")}
          aria-describedby={lacksWords ? hintId : undefined}
          placeholder={t("chat.placeholder")}
          value={text}
          {...mention.described}
          onChange={(event) => {
            setText(event.target.value);
            mention.onCaret();
          }}
          onKeyDown={(event) => {
            if (mention.onKeyDown(event)) return;
            if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
              event.preventDefault();
              send();
            }
          }}
          className="block w-full resize-none bg-transparent px-2 py-1.5 pointer-coarse:min-h-11 pointer-coarse:py-2.5 outline-none placeholder:text-soft"
        />
        <div className="flex items-center justify-between gap-2">
          <div className="flex min-w-0 flex-wrap items-center gap-x-2">
            {wordsOnly ? null : <PicturePicker chosen={pictures} onChange={setPictures} />}
            {tools?.(text)}
          </div>
          <SendOrStop onStop={onStop} disabled={isEmpty || tooLong || busy} />
        </div>
      </div>
    </form>
  );
}

function SendOrStop({ onStop, disabled }: Pick<Props, "onStop"> & { disabled: boolean }) {
  const { t } = useTranslation();
  return onStop ? (
    <IconButton label={t("chat.stop")} kind="tint" onClick={onStop}>
      <Square size={16} fill="currentColor" />
    </IconButton>
  ) : (
    <IconButton type="submit" label={t("chat.send")} kind="primary" disabled={disabled}>
      <ArrowUp size={20} />
    </IconButton>
  );
}
