import { ApiError } from "@/api/problem";
import { useTranslation } from "react-i18next";
import { boxWords } from "@/i18n/box-words";
import { useToast } from "./toasts";
import { Notice } from "./ui/card";

interface Told {
  message: string;
  hint: string;
}

function useTold(): (error: unknown) => Told {
  const { t } = useTranslation();
  return (error) => {
    if (!(error instanceof ApiError)) return { message: t("problem.unknown"), hint: "" };
    if (error.code !== "offline") {
      return { message: boxWords(error.message), hint: boxWords(error.hint) };
    }
    return { message: t("problem.offline"), hint: t("problem.offlineHint") };
  };
}

/** What went wrong, in the box's own words, and what to do next. */
export function ProblemNote({ error }: { error: unknown }) {
  const told = useTold();
  if (error === null || error === undefined) return null;
  const { message, hint } = told(error);
  return (
    <Notice tone="trouble">
      <p className="font-medium">{message}</p>
      <p className="text-sm">{hint}</p>
    </Notice>
  );
}

/** As `ProblemNote`, for what was asked from where there is no room for a note. */
export function useProblemToast(): (error: unknown) => void {
  const told = useTold();
  const toast = useToast();
  return (error) => {
    const { message, hint } = told(error);
    toast(`${message} ${hint}`.trim());
  };
}

export function fieldError(error: unknown, field: string): string | undefined {
  const told = error instanceof ApiError ? error.fields[field] : undefined;
  return told === undefined ? undefined : boxWords(told);
}
