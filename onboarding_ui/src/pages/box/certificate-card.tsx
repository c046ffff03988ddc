import { Download } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Box } from "@/api/types";
import { CopyButton } from "@/components/copy-button";
import { moment } from "@/components/numbers";
import { buttonLook } from "@/components/ui/button";
import { Card } from "@/components/ui/card";

const AUTHORITY = "/ca.crt";

/** How a device comes to trust the box's https address; without a certificate there is none. */
export function CertificateCard({ box }: { box: Box }) {
  const { t } = useTranslation();
  const { certificate } = box;
  if (!certificate) return null;
  return (
    <Card title={t("box.certificate.title")}>
      <div className="grid justify-items-start gap-4">
        <p className="max-w-prose text-soft">{t("box.certificate.help")}</p>
        <a href={AUTHORITY} download="allerac-ca.crt" className={buttonLook("plain")}>
          <Download size={18} aria-hidden="true" />
          {t("box.certificate.download")}
        </a>
        <div className="grid w-full gap-1">
          <p className="text-sm text-soft">{t("box.certificate.compare")}</p>
          <p className="flex items-center gap-1">
            <span className="min-w-0 font-mono text-sm select-all">{certificate.fingerprint}</span>
            <CopyButton text={certificate.fingerprint} label={t("box.certificate.copy")} />
          </p>
          <p className="text-sm text-soft">
            {t("box.certificate.until", { date: moment(certificate.expires_at) })}
          </p>
        </div>
      </div>
    </Card>
  );
}
