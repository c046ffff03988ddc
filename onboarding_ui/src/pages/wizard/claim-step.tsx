import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { ProblemNote, fieldError } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { CODE_LENGTH, cleanCode } from "./claim-code";
import type { StepProps } from "./wizard";

interface ClaimProps extends StepProps {
  /** What a scanned link brought, to be compared with the label and changed. */
  brought: string;
}

/** The label's code, typed, pasted or brought along by its QR code. */
export function ClaimStep({ state, onDone, brought }: ClaimProps) {
  const api = useApi();
  const { t } = useTranslation();
  const [code, setCode] = useState(brought);
  const verify = useMutation({
    mutationFn: () => api.verifyClaimCode({ code }),
    onSuccess: onDone,
  });
  const left = fieldError(verify.error, "tries_left");
  if (state.code_verified) {
    return (
      <Button kind="primary" onClick={() => onDone(state)}>
        {t("next")}
      </Button>
    );
  }
  return (
    <form
      className="grid gap-5"
      onSubmit={(event) => {
        event.preventDefault();
        verify.mutate();
      }}
    >
      <UnitBack />
      <label className="relative block">
        <span className="sr-only">{t("wizard.claim.label")}</span>
        <input
          value={code}
          onChange={(event) => setCode(cleanCode(event.target.value))}
          autoComplete="one-time-code"
          autoCapitalize="characters"
          spellCheck={false}
          className="peer absolute inset-0 z-10 size-full cursor-text opacity-0"
        />
        <span
          aria-hidden="true"
          className="grid grid-cols-8 gap-1.5 peer-focus-visible:[&>*]:border-accent"
        >
          {Array.from({ length: CODE_LENGTH }, (_, place) => (
            <span
              key={place}
              className={`grid h-14 place-content-center rounded-control border border-edge bg-paper font-mono text-xl ${place === 4 ? "ms-1" : ""}`}
            >
              {code[place] ?? ""}
            </span>
          ))}
        </span>
      </label>
      {brought !== "" && code === brought ? (
        <p className="text-sm text-soft">{t("wizard.claim.brought")}</p>
      ) : null}
      {left === undefined ? null : (
        <p className="text-sm text-soft">{t("wizard.claim.left", { count: Number(left) })}</p>
      )}
      <ProblemNote error={verify.error} />
      <Button
        kind="primary"
        type="submit"
        busy={verify.isPending}
        disabled={code.length < CODE_LENGTH}
      >
        {t("next")}
      </Button>
    </form>
  );
}

/** The back of the unit: where the label is. */
function UnitBack() {
  const { t } = useTranslation();
  return (
    <svg viewBox="0 0 320 110" role="img" aria-label={t("wizard.claim.picture")} className="w-full">
      <rect x="8" y="12" width="304" height="86" rx="14" className="fill-paper stroke-edge" />
      {[30, 62].map((x) => (
        <rect
          key={x}
          x={x}
          y="60"
          width="22"
          height="20"
          rx="3"
          className="fill-line stroke-edge"
        />
      ))}
      <rect x="96" y="62" width="34" height="16" rx="3" className="fill-line stroke-edge" />
      <circle cx="150" cy="70" r="8" className="fill-line stroke-edge" />
      <rect
        x="188"
        y="30"
        width="104"
        height="52"
        rx="6"
        className="fill-surface stroke-accent"
        strokeWidth="2"
      />
      <path
        d="M198 40h18v18h-18z M222 44h60 M222 54h44 M198 70h84"
        className="stroke-accent"
        fill="none"
        strokeWidth="3"
      />
    </svg>
  );
}
