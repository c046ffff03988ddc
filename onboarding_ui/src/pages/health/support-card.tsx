import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { SupportReport } from "@/api/types";
import { CopyButton } from "@/components/copy-button";
import { ProblemNote } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";

const textOf = ({ made_at, sections }: SupportReport): string =>
  [made_at, ...sections.flatMap(({ name, lines }) => ["", `# ${name}`, ...lines])].join("\n");

/** What leaves is what is shown: the file is made here, of these very lines. */
function save(report: SupportReport): void {
  const address = URL.createObjectURL(new Blob([textOf(report)], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = `allerac-report-${report.made_at.slice(0, 10)}.txt`;
  link.click();
  URL.revokeObjectURL(address);
}

export function SupportCard() {
  const api = useApi();
  const { t } = useTranslation();
  const [isWanted, setWanted] = useState(false);
  const report = useQuery({
    queryKey: ["support-report"],
    queryFn: () => api.getSupportReport(),
    enabled: isWanted,
    gcTime: 0,
  });
  return (
    <Card title={t("health.support.title")}>
      <p className="text-soft">{t("health.support.text")}</p>
      <ProblemNote error={report.error} />
      {report.data ? (
        <Report report={report.data} />
      ) : (
        <div>
          <Button busy={report.isFetching} onClick={() => setWanted(true)}>
            {t("health.support.make")}
          </Button>
        </div>
      )}
    </Card>
  );
}

function Report({ report }: { report: SupportReport }) {
  const { t } = useTranslation();
  return (
    <div className="grid gap-2 pt-3">
      {report.sections.map(({ name, lines }) => (
        <details key={name} className="rounded-control border border-line px-4">
          <summary className="flex min-h-11 cursor-pointer items-center justify-between gap-3">
            <span className="font-medium">{t(`health.support.section.${name}`)}</span>
            <span className="text-sm text-soft">
              {t("health.support.lines", { count: lines.length })}
            </span>
          </summary>
          <pre className="pb-3 text-xs wrap-anywhere whitespace-pre-wrap">{lines.join("\n")}</pre>
        </details>
      ))}
      <div className="flex flex-wrap gap-2">
        <Button kind="primary" onClick={() => save(report)}>
          {t("health.support.save")}
        </Button>
        <CopyButton text={textOf(report)} isNamed />
      </div>
    </div>
  );
}
