import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, IconButton } from "./ui/button";

/** Plain HTTP pages have no clipboard API; a selected text area works everywhere. */
async function copyText(text: string): Promise<void> {
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (clipboard !== undefined) {
    await clipboard.writeText(text);
    return;
  }
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  // The replacement needs a secure context, which a box without a trusted certificate lacks.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  document.execCommand("copy");
  area.remove();
}

interface Props {
  text: string;
  label?: string;
  /** With its name beside the picture. */
  isNamed?: boolean;
}

export function CopyButton({ text, label, isNamed = false }: Props) {
  const { t } = useTranslation();
  const [done, setDone] = useState(false);
  const copy = async (): Promise<void> => {
    await copyText(text);
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  const picture = done ? <Check size={18} /> : <Copy size={18} />;
  const name = done ? t("copied") : (label ?? t("copy"));
  if (isNamed) {
    return (
      <Button onClick={() => void copy()}>
        {picture}
        {name}
      </Button>
    );
  }
  return (
    <IconButton label={name} onClick={() => void copy()}>
      {picture}
    </IconButton>
  );
}
