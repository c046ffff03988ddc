import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ConversationScope } from "@/api/library-types";
import { mentionAt } from "@/pages/chat/use-mention";
import { open, visit } from "./page";

beforeEach(() => localStorage.clear());

const message = () => screen.findByRole("textbox", { name: "Message" });
const answering = () => screen.findByRole("combobox", { name: "Assistant" });

test.each([
  ["@ho", 3, "ho"],
  ["Ask @", 5, ""],
  ["Ask @ho now", 7, "ho"],
  ["ana@home", 8, null],
  ["@ho and", 7, null],
  ["Ask", 3, null],
])("%s with the caret at %i asks for %s", (text, caret, name) => {
  expect(mentionAt(text, caret)?.name ?? null).toBe(name);
});

test("an assistant is chosen with @ before a conversation begins, and answers in it", async () => {
  const user = userEvent.setup();
  const scopes: ConversationScope[] = [];
  open("/chat", {}, (api) => ({
    setScope: (id, scope) => {
      scopes.push(scope);
      return api.setScope(id, scope);
    },
  }));
  await answering();
  await user.type(await message(), "@hel");
  const options = within(await screen.findByRole("listbox", { name: "Assistant" }));
  expect(options.getByRole("option", { name: "Household helper", selected: true })).toBeVisible();
  await user.keyboard("{Enter}");
  expect(screen.queryByRole("listbox", { name: "Assistant" })).toBeNull();
  expect(await message()).toHaveValue("");
  expect(await answering()).toHaveDisplayValue("Household helper");
  await user.type(await message(), "Who repairs the boiler?{Enter}");
  await waitFor(() => expect(scopes).toEqual([expect.objectContaining({ uses_knowledge: true })]));
  expect(scopes[0]?.assistant_id).toBeTruthy();
});

test("Escape leaves the @ in the message, and a name that nobody has opens nothing", async () => {
  const user = userEvent.setup();
  open("/chat");
  await answering();
  await user.type(await message(), "@ho");
  await screen.findByRole("listbox", { name: "Assistant" });
  await user.keyboard("{Escape}");
  expect(screen.queryByRole("listbox", { name: "Assistant" })).toBeNull();
  expect(await message()).toHaveValue("@ho");
  await user.clear(await message());
  await user.type(await message(), "ana@home.example and @zzz");
  expect(screen.queryByRole("listbox", { name: "Assistant" })).toBeNull();
});

test("another assistant is chosen with @ in a conversation that has begun", async () => {
  const user = userEvent.setup();
  const { router } = visit("/chat");
  await answering();
  await user.type(await message(), "Hello{Enter}");
  await waitFor(() => expect(router.state.location.pathname).toMatch(/^\/chat\/./));
  await screen.findByRole("button", { name: "Good answer" });
  expect(await answering()).toHaveDisplayValue("Allerac");
  await user.type(await message(), "And @");
  const options = within(await screen.findByRole("listbox", { name: "Assistant" }));
  await user.click(options.getByRole("option", { name: "Household helper" }));
  expect(await message()).toHaveValue("And ");
  await waitFor(async () => expect(await answering()).toHaveDisplayValue("Household helper"));
});
