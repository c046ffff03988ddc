import type { Message } from "@/api/types";

/** A message on the branch that is shown, with the answers or edits beside it. */
export interface Shown {
  message: Message;
  siblings: Message[];
  position: number;
}

function childrenOf(messages: Message[]): Map<string | null, Message[]> {
  const below = new Map<string | null, Message[]>();
  for (const message of messages) {
    below.set(message.parent_id, [...(below.get(message.parent_id) ?? []), message]);
  }
  return below;
}

/** The branch from the first message down to `leafId`, or to the newest end. */
export function branch(messages: Message[], leafId: string | null): Shown[] {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const below = childrenOf(messages);
  const path: Message[] = [];
  for (let at = byId.get(leafId ?? "") ?? messages.at(-1); at; at = byId.get(at.parent_id ?? "")) {
    path.unshift(at);
  }
  return path.map((message) => {
    const siblings = below.get(message.parent_id) ?? [message];
    return { message, siblings, position: siblings.findIndex(({ id }) => id === message.id) };
  });
}

/** The newest end below `message`: where its branch goes on. */
export function newestLeaf(messages: Message[], message: Message): string {
  const below = childrenOf(messages);
  let at = message;
  for (let next = below.get(at.id)?.at(-1); next; next = below.get(at.id)?.at(-1)) at = next;
  return at.id;
}
