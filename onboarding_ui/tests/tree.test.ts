import type { Message } from "@/api/types";
import { branch, newestLeaf } from "@/pages/chat/tree";

function message(id: string, parent: string | null): Message {
  return {
    id,
    conversation_id: "c",
    parent_id: parent,
    role: "user",
    content: id,
    status: "complete",
    model_id: null,
    error: null,
    usage: null,
    rating: null,
    sequence: 0,
    generation_id: null,
    created_at: "2026-01-01T00:00:00.000Z",
  };
}

const tree = [
  message("question", null),
  message("answer 1", "question"),
  message("answer 2", "question"),
  message("more", "answer 1"),
];

test("the branch leads from the first message to the leaf", () => {
  const ids = branch(tree, "more").map(({ message: { id } }) => id);
  expect(ids).toEqual(["question", "answer 1", "more"]);
});

test("a message knows which of its siblings it is", () => {
  const answer = branch(tree, "answer 2")[1];
  expect(answer?.position).toBe(1);
  expect(answer?.siblings.map(({ id }) => id)).toEqual(["answer 1", "answer 2"]);
});

test("choosing a sibling goes on to the newest end below it", () => {
  const [, first] = tree;
  expect(first && newestLeaf(tree, first)).toBe("more");
});

test("an unknown leaf shows the newest branch", () => {
  expect(branch(tree, "gone").at(-1)?.message.id).toBe("more");
  expect(branch([], null)).toEqual([]);
});
