import { useInfiniteQuery } from "@tanstack/react-query";
import { useApi } from "@/api/context";
import type { ListConversations } from "@/api/allerac-api";
import type { Conversation } from "@/api/types";

function once(items: Conversation[]): Conversation[] {
  return [...new Map(items.map((item) => [item.id, item])).values()];
}

/** The list, or what a search found, as far as it was asked for; `more` brings the next page. */
export function useConversations(query: string, archived: boolean) {
  const api = useApi();
  const filter: ListConversations =
    query === ""
      ? { archived: archived ? "only" : "exclude" }
      : { query, archived: archived ? "only" : "include" };
  const found = useInfiniteQuery({
    queryKey: ["conversations", query, archived],
    queryFn: ({ pageParam }) =>
      api.listConversations(pageParam === null ? filter : { ...filter, cursor: pageParam }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? null,
    placeholderData: (before) => before,
  });
  return {
    items: once(found.data?.pages.flatMap((page) => page.items) ?? []),
    isKnown: found.data !== undefined,
    isPending: found.isPending,
    error: found.error,
    more: found.hasNextPage ? () => void found.fetchNextPage() : null,
    isFetchingMore: found.isFetchingNextPage,
  };
}
