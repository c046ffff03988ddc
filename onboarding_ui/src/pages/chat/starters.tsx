import { useTranslation } from "react-i18next";
import type { Assistant } from "@/api/library-types";
import { useScope } from "../assistants/assistant-chip";
import { useAssistants } from "../assistants/use-assistants";

/** A first message that one press sends. */
export interface Starter {
  title: string;
  content: string;
  /** Who answers it; null for nobody special. */
  assistant: Pick<Assistant, "id" | "name"> | null;
}

const SHOWN = 4;
const OWN = ["hello", "passage", "count", "who"] as const;

export function startersOf(assistant: Assistant): Starter[] {
  return assistant.starters.map((text) => ({ title: text, content: text, assistant }));
}

/** Four to begin with: the first of each assistant, then the second of each, then the box's own. */
export function useMixedStarters(assistants: Assistant[]): Starter[] {
  const { t } = useTranslation();
  const longest = Math.max(0, ...assistants.map(({ starters }) => starters.length));
  const theirs = Array.from({ length: longest }, (_, rank) =>
    assistants.flatMap((assistant) => startersOf(assistant).slice(rank, rank + 1)),
  ).flat();
  const own = OWN.map((key) => ({
    title: t(`chat.starters.${key}.title`),
    content: t(`chat.starters.${key}.text`),
    assistant: null,
  }));
  return [...theirs, ...own].slice(0, SHOWN);
}

interface Props {
  starters: Starter[];
  /** Says under each who answers it. */
  naming?: boolean;
  disabled: boolean;
  onStart: (starter: Starter) => void;
}

export function Starters({ starters, naming = false, disabled, onStart }: Props) {
  const { t } = useTranslation();
  if (starters.length === 0) return null;
  return (
    <ul
      aria-label={t("chat.startersLabel")}
      className="mx-auto grid w-full max-w-3xl gap-2 px-3 sm:grid-cols-2"
    >
      {starters.map((starter, index) => (
        <li key={`${index} ${starter.title}`} className="min-w-0">
          <button
            type="button"
            disabled={disabled}
            onClick={() => onStart(starter)}
            className="h-full min-h-11 w-full rounded-card border border-line bg-surface p-3 text-start break-words hover:bg-tint"
          >
            {starter.title}
            {naming && starter.assistant ? (
              <span className="block text-sm text-soft">{starter.assistant.name}</span>
            ) : null}
          </button>
        </li>
      ))}
    </ul>
  );
}

interface InConversation {
  conversationId: string;
  disabled: boolean;
  onStart: (content: string) => void;
}

/** What its assistant offers in a conversation in which nothing has been said. */
export function ConversationStarters({ conversationId, disabled, onStart }: InConversation) {
  const assistants = useAssistants();
  const scope = useScope(conversationId);
  const assistant = assistants.data?.find(({ id }) => id === scope.data?.assistant_id);
  if (!assistant) return null;
  return (
    <Starters
      starters={startersOf(assistant)}
      disabled={disabled}
      onStart={({ content }) => onStart(content)}
    />
  );
}
