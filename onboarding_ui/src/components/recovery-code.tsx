import { Download, Printer } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { CopyButton } from "./copy-button";
import { Button } from "./ui/button";

interface Props {
  code: string;
  busy?: boolean;
  onSaved: () => void;
}

/** The recovery code, shown this once: it goes on only after the box was ticked. */
export function RecoveryCode({ code, busy = false, onSaved }: Props) {
  const { t } = useTranslation();
  const [ticked, setTicked] = useState(false);
  const file = `data:text/plain;charset=utf-8,${encodeURIComponent(`Allerac\n${code}\n`)}`;
  return (
    <div className="grid gap-5">
      <div className="flex flex-wrap items-center justify-between gap-2 rounded-control bg-tint p-4">
        <output aria-label={t("recovery.label")} className="font-mono text-lg">
          {code}
        </output>
        <span className="flex" data-print="hidden">
          <CopyButton text={code} />
          <Button kind="quiet" onClick={() => print()} aria-label={t("recovery.print")}>
            <Printer size={18} />
          </Button>
          <a
            href={file}
            download="allerac-recovery-code.txt"
            aria-label={t("recovery.save")}
            className="inline-flex min-h-11 items-center rounded-control px-3 text-soft hover:bg-tint hover:text-ink"
          >
            <Download size={18} />
          </a>
        </span>
      </div>
      <label className="flex items-start gap-3">
        <input
          type="checkbox"
          checked={ticked}
          onChange={(event) => setTicked(event.target.checked)}
          className="mt-1 size-5 accent-accent"
        />
        <span>{t("recovery.kept")}</span>
      </label>
      <Button kind="primary" disabled={!ticked} busy={busy} onClick={onSaved}>
        {t("next")}
      </Button>
    </div>
  );
}
