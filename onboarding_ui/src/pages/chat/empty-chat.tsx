import { useTranslation } from "react-i18next";
import { usePerson } from "@/layout/person";
import { Composer } from "./composer";
import { useSend } from "./use-send";

function partOfDay(hour: number): "morning" | "day" | "evening" {
  if (hour < 5 || hour >= 18) return "evening";
  return hour < 11 ? "morning" : "day";
}

const STARTERS = ["hello", "passage", "count", "who"] as const;

export function EmptyChat() {
  const { t } = useTranslation();
  const person = usePerson();
  const send = useSend(null, () => undefined);
  const start = (content: string) => send.mutateAsync({ content });
  return (
    <div className="flex min-h-0 flex-1 flex-col gap-6 overflow-y-auto p-2 before:m-auto after:m-auto">
      <h1 className="px-4 text-center font-serif text-4xl">
        {t(`chat.greeting.${partOfDay(new Date().getHours())}`, { name: person.name })}
      </h1>
      <Composer draftKey="new" busy={send.isPending} error={send.error} onSend={start} />
      <ul className="mx-auto grid w-full max-w-3xl gap-2 px-3 sm:grid-cols-2">
        {STARTERS.map((key) => (
          <li key={key}>
            <button
              type="button"
              disabled={send.isPending}
              onClick={() => send.mutate({ content: t(`chat.starters.${key}.text`) })}
              className="h-full min-h-11 w-full rounded-card border border-line bg-surface p-3 text-start hover:bg-tint"
            >
              {t(`chat.starters.${key}.title`)}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
