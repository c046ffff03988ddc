import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "./ui/button";
import { inputLook } from "./ui/field";

interface Props {
  /** What will be lost, in words. */
  text: string;
  action: string;
  /** What has to be typed before, for what cannot be brought back. */
  word?: string;
  busy: boolean;
  onConfirm: () => void;
  onCancel: () => void;
}

/** The question before something is lost. */
export function Confirm({ text, action, word, busy, onConfirm, onCancel }: Props) {
  const { t } = useTranslation();
  const id = useId();
  const [typed, setTyped] = useState("");
  const isMeant = word === undefined || typed.trim() === word;
  return (
    <form
      aria-label={action}
      className="grid gap-3 rounded-control bg-trouble-tint p-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (isMeant) onConfirm();
      }}
    >
      <p>{text}</p>
      {word === undefined ? null : (
        <div className="grid max-w-sm gap-1.5">
          <label htmlFor={id} className="text-sm font-medium">
            {t("confirm.type", { word })}
          </label>
          <input
            id={id}
            ref={(input) => input?.focus()}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            className={inputLook}
          />
        </div>
      )}
      <div className="flex flex-wrap gap-2">
        <Button kind="danger" type="submit" className="bg-surface" busy={busy} disabled={!isMeant}>
          {action}
        </Button>
        <Button onClick={onCancel}>{t("cancel")}</Button>
      </div>
    </form>
  );
}
