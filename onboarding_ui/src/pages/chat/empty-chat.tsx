import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import type { Assistant } from "@/api/library-types";
import { usePerson } from "@/layout/person";
import { AssistantChoice } from "../assistants/assistant-chip";
import { Avatar } from "../assistants/avatar";
import { useAssistants } from "../assistants/use-assistants";
import { Composer } from "./composer";
import { DocumentsChoice, EVERYWHERE } from "./documents-chip";
import { Starters, startersOf, useMixedStarters } from "./starters";
import { useSend } from "./use-send";

function partOfDay(hour: number): "morning" | "day" | "evening" {
  if (hour < 5 || hour >= 18) return "evening";
  return hour < 11 ? "morning" : "day";
}

/** A new conversation; `?assistant=` says with whom. */
export function EmptyChat() {
  const { t } = useTranslation();
  const person = usePerson();
  const [search, setSearch] = useSearchParams();
  const assistants = useAssistants();
  const asked = search.get("assistant");
  const assistant = assistants.data?.find(({ id }) => id === asked);
  // Until the box has said who there is, the address is believed.
  const assistantId = assistants.data ? (assistant?.id ?? null) : asked;
  const [looks, setLooks] = useState(EVERYWHERE);
  const send = useSend(null, () => undefined);
  const mixed = useMixedStarters(assistants.data ?? []);
  const choose = (id: string | null): void =>
    setSearch(
      (before) => {
        before.delete("assistant");
        if (id !== null) before.set("assistant", id);
        return before;
      },
      { replace: true },
    );
  return (
    <div className="flex min-h-0 flex-1 flex-col gap-6 overflow-y-auto p-2 before:m-auto after:m-auto">
      <h1 className="px-4 text-center font-serif text-4xl">
        {t(`chat.greeting.${partOfDay(new Date().getHours())}`, { name: person.name })}
      </h1>
      {assistant ? <Answering assistant={assistant} /> : null}
      <Composer
        draftKey="new"
        busy={send.isPending}
        error={send.error}
        onAssistant={choose}
        onSend={(content, pictures) => send.mutateAsync({ content, pictures, assistantId, looks })}
        tools={() => (
          <>
            <AssistantChoice chosen={assistant?.id ?? null} onChoose={choose} />
            <DocumentsChoice chosen={looks} onChoose={setLooks} />
          </>
        )}
      />
      <div className={assistants.isPending ? "invisible" : undefined}>
        <Starters
          starters={assistant ? startersOf(assistant) : mixed}
          naming={!assistant}
          disabled={send.isPending}
          onStart={({ content, assistant: answering }) =>
            send.mutate({ content, assistantId: answering?.id ?? null, looks })
          }
        />
      </div>
    </div>
  );
}

/** Who answers, and what for. */
function Answering({ assistant }: { assistant: Assistant }) {
  return (
    <div className="mx-auto flex w-full max-w-md items-center justify-center gap-3 px-4">
      <Avatar name={assistant.avatar} />
      <div className="min-w-0">
        <p className="font-medium break-words">{assistant.name}</p>
        {assistant.description ? (
          <p className="text-sm break-words text-soft">{assistant.description}</p>
        ) : null}
      </div>
    </div>
  );
}
