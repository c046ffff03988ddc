import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Assistant } from "@/api/library-types";
import { Markdown } from "@/components/markdown";
import { ProblemNote } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Composer } from "../chat/composer";
import { Starters, startersOf } from "../chat/starters";
import { useStickyScroll } from "../chat/use-sticky-scroll";
import { WaitingLine } from "../chat/waiting-line";
import { useCitations } from "../knowledge/use-sources";
import { type Exchange, useTrial } from "./use-trial";

const Sources = lazy(() => import("../knowledge/sources"));

/** A talk with the assistant as it stands in the editor; it ends with the editor. */
export function TrialChat({ draft }: { draft: Assistant }) {
  const { t } = useTranslation();
  const { talk, ask, stop, clear } = useTrial(draft);
  const { box, onScroll, stick } = useStickyScroll(talk.length);
  const isRunning = talk.at(-1)?.running === true;
  const begin = (question: string): void => {
    ask(question);
    stick();
  };
  return (
    <Card title={t("library.assistant.trial.title")} className="grid gap-3 lg:sticky lg:top-4">
      <p className="text-sm text-soft">{t("library.assistant.trial.help")}</p>
      <div ref={box} onScroll={onScroll} className="overflow-y-auto lg:max-h-[60dvh]">
        <ol
          aria-label={t("library.assistant.trial.talk")}
          className="grid grid-cols-[minmax(0,1fr)] gap-6 py-2 empty:hidden"
        >
          {talk.map((exchange, at) => (
            <Exchanged key={at} exchange={exchange} />
          ))}
        </ol>
      </div>
      {talk.length > 0 ? null : (
        <Starters
          starters={startersOf({ ...draft, starters: draft.starters.filter(Boolean) })}
          disabled={false}
          onStart={({ content }) => begin(content)}
        />
      )}
      <div className="-mx-3">
        <Composer
          draftKey={null}
          wordsOnly
          busy={false}
          error={null}
          onStop={isRunning ? stop : undefined}
          onSend={(question) => {
            begin(question);
            return Promise.resolve();
          }}
        />
      </div>
      {talk.length > 0 ? (
        <Button kind="quiet" className="justify-self-start" onClick={clear}>
          {t("library.assistant.trial.again")}
        </Button>
      ) : null}
    </Card>
  );
}

function Exchanged({ exchange }: { exchange: Exchange }) {
  const { question, text, waiting, sources, problem, running } = exchange;
  const citations = useCitations(sources);
  const [opened, setOpened] = useState<number | null>(null);
  return (
    <li className="grid grid-cols-[minmax(0,1fr)] gap-3">
      <p className="max-w-[85%] justify-self-end rounded-card bg-tint px-4 py-2.5 break-words whitespace-pre-wrap">
        {question}
      </p>
      <div aria-live="polite" aria-busy={running}>
        {text === "" ? null : <Markdown text={text} citations={citations} onCite={setOpened} />}
      </div>
      {waiting === null ? null : <WaitingLine waiting={waiting} />}
      <ProblemNote error={problem} />
      {running || sources === null ? null : (
        <Suspense fallback={null}>
          <Sources messageId={null} sources={sources} opened={opened} onOpen={setOpened} />
        </Suspense>
      )}
    </li>
  );
}
