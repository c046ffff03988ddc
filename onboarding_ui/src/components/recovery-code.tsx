import { Download, Printer } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { CopyButton } from "./copy-button";
import { Button, buttonLook } from "./ui/button";

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
      <div className="grid gap-4 rounded-control bg-tint p-4">
        <output
          aria-label={t("recovery.label")}
          className="text-center font-mono text-[clamp(0.8rem,4.2vw,1.2rem)] tracking-tight font-medium"
        >
          {code}
        </output>
        <div className="flex flex-wrap justify-center gap-2" data-print="hidden">
          <CopyButton text={code} isNamed />
          <Button onClick={() => print()}>
            <Printer size={18} aria-hidden="true" />
            {t("recovery.print")}
          </Button>
          <a href={file} download="allerac-recovery-code.txt" className={buttonLook()}>
            <Download size={18} aria-hidden="true" />
            {t("recovery.save")}
          </a>
        </div>
      </div>
      <label className="flex min-h-11 items-center gap-3">
        <input
          type="checkbox"
          checked={ticked}
          onChange={(event) => setTicked(event.target.checked)}
          className="size-5"
        />
        <span>{t("recovery.kept")}</span>
      </label>
      <Button kind="primary" disabled={!ticked} busy={busy} onClick={onSaved}>
        {t("next")}
      </Button>
    </div>
  );
}
