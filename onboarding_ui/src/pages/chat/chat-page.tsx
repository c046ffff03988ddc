import { clsx } from "clsx";
import { useTranslation } from "react-i18next";
import { useMatch, useParams } from "react-router";
import { BoxLamp } from "@/layout/box-state";
import { Conversation } from "./conversation";
import { ConversationList } from "./conversation-list";
import { EmptyChat } from "./empty-chat";
import { PhoneHeader } from "./phone-header";

/** The list beside the conversation; on a phone one of the two, each with its own address. */
export function ChatPage() {
  const { t } = useTranslation();
  const { conversationId } = useParams();
  const isList = useMatch("/chat/list") !== null;
  return (
    <div className="flex h-full min-h-0">
      <aside
        aria-label={t("chat.list")}
        data-print="hidden"
        className={clsx(
          "h-full w-full shrink-0 overflow-y-auto overscroll-contain border-e border-line bg-paper p-3 md:block md:w-72",
          isList ? "block" : "hidden",
        )}
      >
        <header className="mb-3 flex items-center justify-between px-1 md:hidden">
          <h1 className="font-serif text-3xl">{t("chat.list")}</h1>
          <span className="me-2">
            <BoxLamp size={14} />
          </span>
        </header>
        <ConversationList />
      </aside>
      <section className={clsx("min-w-0 flex-1 flex-col", isList ? "hidden md:flex" : "flex")}>
        <PhoneHeader conversationId={conversationId} />
        {conversationId === undefined ? (
          <EmptyChat />
        ) : (
          <Conversation key={conversationId} id={conversationId} />
        )}
      </section>
    </div>
  );
}
