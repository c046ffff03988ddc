import { ApiError } from "@/api/problem";
import { useTranslation } from "react-i18next";
import { boxWords } from "@/i18n/box-words";
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
        {isOffline ? t("problem.offline") : known ? boxWords(known.message) : t("problem.unknown")}
      </p>
      <p className="text-sm">
        {isOffline ? t("problem.offlineHint") : boxWords(known?.hint ?? "")}
      </p>
    </Notice>
  );
}

export function fieldError(error: unknown, field: string): string | undefined {
  const told = error instanceof ApiError ? error.fields[field] : undefined;
  return told === undefined ? undefined : boxWords(told);
}
