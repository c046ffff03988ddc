import { clsx } from "clsx";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router";
import { PanelLeft } from "lucide-react";
import { IconButton } from "@/components/ui/button";
import { Conversation } from "./conversation";
import { ConversationList } from "./conversation-list";
import { EmptyChat } from "./empty-chat";

/** The list beside the conversation; on a phone one of the two. */
export function ChatPage() {
  const { t } = useTranslation();
  const { conversationId } = useParams();
  const [isListShown, setListShown] = useState(false);
  return (
    <div className="flex h-full min-h-0">
      <aside
        aria-label={t("chat.list")}
        data-print="hidden"
        className={clsx(
          "h-full w-full shrink-0 overflow-y-auto border-e border-line bg-paper p-3 md:block md:w-72",
          isListShown ? "block" : "hidden",
        )}
      >
        <ConversationList onChosen={() => setListShown(false)} />
      </aside>
      <section className={clsx("min-w-0 flex-1 flex-col", isListShown ? "hidden md:flex" : "flex")}>
        <div className="p-2 md:hidden" data-print="hidden">
          <IconButton label={t("chat.list")} onClick={() => setListShown(true)}>
            <PanelLeft size={20} />
          </IconButton>
        </div>
        {conversationId === undefined ? (
          <EmptyChat />
        ) : (
          <Conversation key={conversationId} id={conversationId} />
        )}
      </section>
    </div>
  );
}
