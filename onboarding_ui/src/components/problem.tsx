import { ApiError } from "@/api/problem";
import { useTranslation } from "react-i18next";
import { Notice } from "./ui/card";

/** What went wrong, in the box's own words, and what to do next. */
export function ProblemNote({ error }: { error: unknown }) {
  const { t } = useTranslation();
  if (error === null || error === undefined) return null;
  const known = error instanceof ApiError ? error : null;
  const isOffline = known?.code === "offline";
  return (
    <Notice tone="trouble">
      <p className="font-medium">
        {isOffline ? t("problem.offline") : (known?.message ?? t("problem.unknown"))}
      </p>
      <p className="text-sm">{isOffline ? t("problem.offlineHint") : known?.hint}</p>
    </Notice>
  );
}

export function fieldError(error: unknown, field: string): string | undefined {
  return error instanceof ApiError ? error.fields[field] : undefined;
}
