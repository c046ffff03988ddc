import { Plus } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Conversation } from "@/api/types";
import { ProblemNote } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/card";
import { inputLook } from "@/components/ui/field";
import { ConversationRow } from "./conversation-row";
import { useConversations } from "./use-conversations";

type Group = "pinned" | "today" | "yesterday" | "week" | "earlier";
const DAY_MS = 86_400_000;

function groupOf(item: Conversation, midnight: number): Group {
  if (item.pinned) return "pinned";
  const at = Date.parse(item.updated_at);
  if (at >= midnight) return "today";
  if (at >= midnight - DAY_MS) return "yesterday";
  return at >= midnight - 6 * DAY_MS ? "week" : "earlier";
}

function grouped(items: Conversation[]): [Group, Conversation[]][] {
  const midnight = new Date().setHours(0, 0, 0, 0);
  const order: Group[] = ["pinned", "today", "yesterday", "week", "earlier"];
  return order
    .map((group): [Group, Conversation[]] => [
      group,
      items.filter((item) => groupOf(item, midnight) === group),
    ])
    .filter(([, members]) => members.length > 0);
}

export function ConversationList() {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const [archived, setArchived] = useState(false);
  const query = useDeferredValue(text.trim());
  const found = useConversations(query, archived);
  const { items } = found;
  return (
    <div className="grid gap-3">
      <Link
        to="/chat"
        className="inline-flex min-h-11 items-center justify-center gap-2 rounded-control border border-edge bg-surface font-medium hover:bg-tint"
      >
        <Plus size={18} aria-hidden="true" />
        {t("chat.new")}
      </Link>
      <input
        type="search"
        aria-label={t("chat.search")}
        placeholder={t("chat.search")}
        value={text}
        onChange={(event) => setText(event.target.value)}
        className={inputLook}
      />
      <ProblemNote error={found.error} />
      {found.isPending ? <Skeleton rows={6} /> : null}
      {query !== "" && items.length === 0 && found.isKnown ? (
        <p className="px-2 text-soft">{t("chat.nothingFound")}</p>
      ) : null}
      {query === "" && items.length === 0 && found.isKnown ? (
        <p className="px-2 text-soft">{t(archived ? "chat.noneArchived" : "chat.noneYet")}</p>
      ) : null}
      {(query === "" ? grouped(items) : [["found", items] as const]).map(([group, members]) => (
        <section key={group} className="grid gap-0.5">
          <h2 className="px-2 text-xs font-semibold uppercase tracking-wide text-soft">
            {t(`chat.groups.${group}`)}
          </h2>
          {members.map((item) => (
            <ConversationRow key={item.id} item={item} />
          ))}
        </section>
      ))}
      {found.more ? (
        <Button kind="quiet" busy={found.isFetchingMore} onClick={found.more}>
          {t("chat.more")}
        </Button>
      ) : null}
      <label className="flex min-h-11 items-center gap-2 px-2 text-sm text-soft">
        <input
          type="checkbox"
          checked={archived}
          onChange={(event) => setArchived(event.target.checked)}
        />
        {t("chat.showArchived")}
      </label>
    </div>
  );
}
