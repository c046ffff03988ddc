import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { hasCode } from "@/api/problem";
import type { Claimed, OnboardingState, Step } from "@/api/types";
import { Lamp } from "@/components/lamp";
import { ProblemNote } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { speak } from "@/i18n";
import { BoxStep } from "./box-step";
import { ClaimStep } from "./claim-step";
import { LanguageStep } from "./language-step";
import { ModelStep } from "./model-step";
import { OwnerStep } from "./owner-step";
import { PrivacyStep } from "./privacy-step";
import { ReadyStep } from "./ready-step";

export interface StepProps {
  state: OnboardingState;
  /** Takes the state that the box answered with, and goes on. */
  onDone: (state: OnboardingState) => void;
  /** Tells that the step asks its second question: to keep the recovery code. */
  onRecoveryCode: () => void;
}

interface WizardProps {
  /** The claim code that a scanned link brought; empty without one. */
  claimCode: string;
}

/** The first-boot wizard; the box keeps where it stands, this only shows it. */
export function Wizard({ claimCode }: WizardProps) {
  const api = useApi();
  const { t } = useTranslation();
  const queries = useQueryClient();
  const onboarding = useQuery({ queryKey: ["onboarding"], queryFn: () => api.getOnboarding() });
  const [shown, setShown] = useState<Step | null>(null);
  const [isRecovery, setRecovery] = useState(false);
  const finish = useMutation({ mutationFn: () => api.finishOnboarding() });
  const state = onboarding.data;
  const language = state?.step === "language" ? undefined : state?.language;
  useEffect(() => {
    if (language !== undefined) speak(language);
  }, [language]);

  if (hasCode(finish.error, "conflict", "gone") || hasCode(onboarding.error, "gone")) {
    return <Lost error={finish.error ?? onboarding.error} />;
  }
  if (onboarding.error) {
    return (
      <WizardCard step={0} count={7} title={t("problem.title")}>
        <ProblemNote error={onboarding.error} />
        <Button onClick={() => void onboarding.refetch()}>{t("tryAgain")}</Button>
      </WizardCard>
    );
  }
  if (!state) return null;
  if (finish.data) return <Done claimed={finish.data} />;
  const step = shown ?? state.step;
  const index = state.steps.indexOf(step);
  const before = state.steps[index - 1];
  const take = (next: OnboardingState): void => {
    queries.setQueryData(["onboarding"], next);
    const following = state.steps[index + 1];
    setShown(following ?? null);
    setRecovery(false);
  };
  return (
    <WizardCard
      step={index}
      count={state.steps.length}
      title={isRecovery ? t("recovery.newTitle") : t(`wizard.${step}.title`)}
      help={isRecovery ? t("recovery.why") : t(`wizard.${step}.help`)}
      back={before === undefined || isRecovery ? undefined : () => setShown(before)}
    >
      <CurrentStep
        step={step}
        state={state}
        claimCode={claimCode}
        onDone={take}
        onRecoveryCode={() => setRecovery(true)}
        finish={() => finish.mutate()}
        finishing={finish.isPending}
        error={finish.error}
      />
    </WizardCard>
  );
}

interface CurrentProps extends StepProps, WizardProps {
  step: Step;
  finish: () => void;
  finishing: boolean;
  error: unknown;
}

function CurrentStep({ step, claimCode, finish, finishing, error, ...rest }: CurrentProps) {
  switch (step) {
    case "language":
      return <LanguageStep {...rest} />;
    case "claim":
      return <ClaimStep key={claimCode} brought={claimCode} {...rest} />;
    case "owner":
      return <OwnerStep {...rest} />;
    case "box":
      return <BoxStep {...rest} />;
    case "model":
      return <ModelStep {...rest} />;
    case "privacy":
      return <PrivacyStep {...rest} />;
    case "ready":
      return <ReadyStep state={rest.state} finish={finish} busy={finishing} error={error} />;
  }
}

function Done({ claimed }: { claimed: Claimed }) {
  const { t } = useTranslation();
  return (
    <WizardCard step={6} count={7} title={t("wizard.done.title")} help={t("wizard.done.help")}>
      <ReadyStep.Done claimed={claimed} />
    </WizardCard>
  );
}

function Lost({ error }: { error: unknown }) {
  const { t } = useTranslation();
  return (
    <WizardCard step={6} count={7} title={t("wizard.lost.title")} help={t("wizard.lost.help")}>
      <ProblemNote error={error} />
      <Button kind="primary" onClick={() => location.assign("/")}>
        {t("signIn.title")}
      </Button>
    </WizardCard>
  );
}

interface CardProps {
  step: number;
  count: number;
  title: string;
  help?: string;
  back?: (() => void) | undefined;
  children: ReactNode;
}

/** One question on paper: the lamp, the dots, a serif heading and one group of fields. */
export function WizardCard({ step, count, title, help, back, children }: CardProps) {
  const { t } = useTranslation();
  const heading = useRef<HTMLHeadingElement>(null);
  const last = useRef(step === 0 ? title : null);
  useEffect(() => {
    // A new question is read from its beginning, by eyes and by screen readers.
    if (last.current === title) return;
    last.current = title;
    scrollTo(0, 0);
    heading.current?.focus();
  }, [title]);
  return (
    <main className="mx-auto flex min-h-dvh w-full max-w-[520px] flex-col items-center gap-6 px-4 pt-[max(2.5rem,10dvh)] pb-[max(2rem,env(safe-area-inset-bottom))]">
      <Lamp state="well" size={26} />
      <p className="flex gap-2" aria-label={t("wizard.step", { step: step + 1, count })} role="img">
        {Array.from({ length: count }, (_, dot) => (
          <span
            key={dot}
            className={`size-2 rounded-full ${dot <= step ? "bg-accent" : "bg-line"}`}
          />
        ))}
      </p>
      <section className="grid w-full gap-5 rounded-card border border-line bg-surface p-6 sm:p-8">
        <header className="grid gap-2">
          <h1
            ref={heading}
            tabIndex={-1}
            className="font-serif text-3xl leading-tight outline-none"
          >
            {title}
          </h1>
          {help === undefined ? null : <p className="text-soft">{help}</p>}
        </header>
        {children}
      </section>
      {back === undefined ? null : (
        <Button kind="quiet" onClick={back}>
          {t("back")}
        </Button>
      )}
    </main>
  );
}
