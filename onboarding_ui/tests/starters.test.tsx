import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import type { AlleracApi } from "@/api/allerac-api";
import { ApiError } from "@/api/problem";
import { open, refusal, refusedOnce, visit } from "./page";
// Read before the first wait begins, however slow the machine is.
import "@/pages/library";

beforeEach(() => localStorage.clear());

const offered = async (): Promise<string[]> => {
  const list = within(await screen.findByRole("list", { name: "Ways to begin" }));
  return list.getAllByRole("button").map((button) => button.textContent);
};

async function helperOf(api: AlleracApi): Promise<string> {
  const { items } = await api.listAssistants({ deleted: false });
  return items[0]?.id ?? "";
}

/** An empty conversation in which the mock's assistant answers. */
async function begun(api: AlleracApi): Promise<string> {
  const { id } = await api.createConversation({});
  const scope = { assistant_id: await helperOf(api), uses_knowledge: true, folder: null };
  await api.setScope(id, scope);
  return id;
}

test("a chat with an assistant begins with its starters; one press asks it", async () => {
  const user = userEvent.setup();
  const { api, router } = visit("/library/assistants");
  await user.click(await screen.findByRole("link", { name: "Chat with Household helper" }));
  expect(await screen.findByText("Knows the house.")).toBeVisible();
  expect(await offered()).toEqual(["Who repairs the boiler?", expect.stringMatching(/^When is/)]);
  expect((await api.listConversations({})).items).toHaveLength(6); // none was made by looking
  await user.click(screen.getByRole("button", { name: "Who repairs the boiler?" }));
  const messages = await screen.findByRole("list", { name: "Messages" });
  expect(messages).toHaveTextContent("Who repairs the boiler?");
  const id = router.state.location.pathname.replace("/chat/", "");
  expect((await api.getScope(id)).assistant_id).toBe(await helperOf(api));
});

test("what is typed goes to the assistant that was chosen above", async () => {
  const user = userEvent.setup();
  const { api, router } = visit("/chat");
  const choice = await screen.findByRole("combobox", { name: "Assistant" });
  await user.selectOptions(choice, "Household helper");
  expect(router.state.location.search).toBe(`?assistant=${await helperOf(api)}`);
  await user.type(screen.getByRole("textbox", { name: "Message" }), "Which bin?{Enter}");
  await screen.findByRole("list", { name: "Messages" });
  const id = router.state.location.pathname.replace("/chat/", "");
  expect((await api.getScope(id)).assistant_id).toBe(await helperOf(api));
});

test("nobody chosen: assistants offer first, each under its name, then the box", async () => {
  const user = userEvent.setup();
  const { api, router } = visit("/chat");
  await screen.findByRole("button", { name: /boiler.*Household helper/ });
  const all = await offered();
  expect(all).toHaveLength(4);
  expect(all.slice(2)).toEqual(["Say hello", "Ask about a text"]);
  await user.click(screen.getByRole("button", { name: "Say hello" }));
  await screen.findByRole("list", { name: "Messages" });
  const id = router.state.location.pathname.replace("/chat/", "");
  expect((await api.getScope(id)).assistant_id).toBeNull();
});

test("assistants take turns, so that none fills the four alone", async () => {
  open("/chat", {}, (api) => ({
    listAssistants: async () => {
      const [helper] = (await api.listAssistants({ deleted: false })).items;
      const made = (name: string, starters: string[]) =>
        ({ ...helper, id: name, name, starters }) as NonNullable<typeof helper>;
      return { items: [made("A", ["a1", "a2", "a3", "a4", "a5"]), made("B", ["b1"])] };
    },
  }));
  await screen.findByRole("button", { name: /a1/ });
  expect(await offered()).toEqual(["a1A", "b1B", "a2A", "a3A"]);
});

test.each([
  ["there is no assistant", { listAssistants: () => Promise.resolve({ items: [] }) }],
  ["assistants cannot be listed", { listAssistants: refusal(503, { message: "Not now." }) }],
])("where %s the box offers its own", async (_, replies) => {
  open("/chat", {}, () => replies);
  await waitFor(() => expect(screen.getByRole("button", { name: "Say hello" })).toBeVisible());
  expect(await offered()).toHaveLength(4);
  expect(screen.queryByRole("combobox", { name: "Assistant" })).toBeNull();
});

test("an assistant that is gone leaves an ordinary chat", async () => {
  const user = userEvent.setup();
  const { api, router } = visit("/chat?assistant=gone");
  await screen.findByRole("button", { name: /boiler/ });
  await user.click(screen.getByRole("button", { name: "Say hello" }));
  await screen.findByRole("list", { name: "Messages" });
  const id = router.state.location.pathname.replace("/chat/", "");
  expect((await api.getScope(id)).assistant_id).toBeNull();
});

test("an empty conversation offers what its assistant has, until something is said", async () => {
  const user = userEvent.setup();
  const { api, router } = visit("/box");
  await router.navigate(`/chat/${await begun(api)}`);
  await user.click(await screen.findByRole("button", { name: "Who repairs the boiler?" }));
  await screen.findByRole("button", { name: "Good answer" });
  expect(screen.queryByRole("list", { name: "Ways to begin" })).toBeNull();
});

test("a starter that did not reach the box says so and can be pressed again", async () => {
  const user = userEvent.setup();
  open("/chat", {}, (api) => ({
    createConversation: refusedOnce((body) => api.createConversation(body), ApiError.offline()),
  }));
  const starter = await screen.findByRole("button", { name: /boiler/ });
  await user.click(starter);
  expect(await screen.findByRole("alert")).toBeVisible();
  await user.click(starter);
  expect(await screen.findByRole("list", { name: "Messages" })).toHaveTextContent("boiler");
});

test("a template brings its starters in the person's language", async () => {
  const user = userEvent.setup();
  const api = open("/library/assistants", { empty: true });
  const made = vi.spyOn(api, "createAssistant");
  await user.click(await screen.findByRole("button", { name: "Homework coach" }));
  await waitFor(() => expect(made).toHaveBeenCalled());
  expect(made.mock.calls[0]?.[0].starters).toContain("Explain fractions to me.");
  const german = i18next.t("library.assistant.templateStarters.homework_coach", { lng: "de" });
  expect(german.split("\n")).toHaveLength(3);
});
