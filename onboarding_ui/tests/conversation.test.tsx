import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent, { type UserEvent } from "@testing-library/user-event";
import { ApiError } from "@/api/problem";
import { open, refusal, refusedOnce, visit } from "./page";

beforeEach(() => localStorage.clear());

async function ask(user: UserEvent, text: string): Promise<void> {
  await user.type(await screen.findByRole("textbox", { name: "Message" }), `${text}{Enter}`);
  await screen.findByRole("list", { name: "Messages" });
}

const finished = () => screen.findByRole("button", { name: "Good answer" });

test("a question in line says its place and about how long", async () => {
  const user = userEvent.setup();
  open("/chat");
  await ask(user, "Please wait in line.");
  expect(await screen.findByText(/^In line, number 2, about 20 s/)).toBeInTheDocument();
});

test("reading is told in words and percent", async () => {
  const user = userEvent.setup();
  open("/chat");
  await ask(user, "Please read for long.");
  expect(await screen.findByText("Reading 900 words… 64 %")).toBeInTheDocument();
});

test("an answer can be stopped; what is written stays and the next can be asked", async () => {
  const user = userEvent.setup();
  open("/chat");
  await ask(user, "Please read for long.");
  await user.click(await screen.findByRole("button", { name: "Stop" }));
  expect(await finished()).toBeInTheDocument();
  expect(screen.queryByRole("button", { name: "Stop" })).toBeNull();
  expect(screen.getByRole("button", { name: "Send" })).toBeInTheDocument();
});

test("a stop that does not arrive is said", async () => {
  const user = userEvent.setup();
  open("/chat", {}, () => ({ stopGeneration: () => Promise.reject(ApiError.offline()) }));
  await ask(user, "Please wait in line.");
  await user.click(await screen.findByRole("button", { name: "Stop" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("cannot be reached");
});

test("asking again makes a second answer, and both can be looked at", async () => {
  const user = userEvent.setup();
  open("/chat");
  await ask(user, "Hello");
  await finished();
  await user.click(screen.getByRole("button", { name: "Ask again" }));
  expect(await screen.findByText("2/2")).toBeInTheDocument();
  await finished();
  await user.click(screen.getByRole("button", { name: "The one before" }));
  expect(await screen.findByText("1/2")).toBeInTheDocument();
  expect(screen.getByRole("button", { name: "The one before" })).toBeDisabled();
  await user.click(screen.getByRole("button", { name: "The one after" }));
  expect(await screen.findByText("2/2")).toBeInTheDocument();
});

test("an edited question is a branch beside the old one", async () => {
  const user = userEvent.setup();
  open("/chat");
  await ask(user, "Bread?");
  await finished();
  await user.click(screen.getByRole("button", { name: "Edit" }));
  const draft = screen.getByRole("textbox", { name: "Edit" });
  expect(draft).toHaveFocus();
  await user.clear(draft);
  await user.type(draft, "Cake?");
  const form = draft.closest("form") ?? document.body;
  await user.click(within(form).getByRole("button", { name: "Send" }));
  const messages = screen.getByRole("list", { name: "Messages" });
  await waitFor(() => expect(messages).toHaveTextContent("Cake?"));
  expect(messages).not.toHaveTextContent("Bread?");
  await finished();
  await user.click(screen.getByRole("button", { name: "The one before" }));
  await waitFor(() => expect(messages).toHaveTextContent("Bread?"));
});

test("editing can be called off", async () => {
  const user = userEvent.setup();
  open("/chat");
  await ask(user, "Bread?");
  await finished();
  await user.click(screen.getByRole("button", { name: "Edit" }));
  await user.type(screen.getByRole("textbox", { name: "Edit" }), " no");
  await user.click(screen.getByRole("button", { name: "Cancel" }));
  expect(screen.getByRole("list", { name: "Messages" })).toHaveTextContent("Bread?");
});

test("an answer that broke off says so and can be asked for again", async () => {
  const user = userEvent.setup();
  open("/chat");
  await ask(user, "Please break.");
  expect(await screen.findByText(/The model stopped working/)).toBeInTheDocument();
  expect(screen.getAllByRole("button", { name: "Ask again" }).length).toBeGreaterThan(0);
});

test("a message that could not be sent is said, and sending it again works", async () => {
  const user = userEvent.setup();
  open("/chat", {}, (api) => ({
    createConversation: refusedOnce(
      (body) => api.createConversation(body),
      new ApiError(507, { code: "storage_unavailable", message: "The disk is full." }),
    ),
  }));
  const message = await screen.findByRole("textbox", { name: "Message" });
  await user.type(message, "Hello{Enter}");
  expect(await screen.findByRole("alert")).toHaveTextContent("The disk is full.");
  expect(message).toHaveValue("Hello");
  await user.type(message, "{Enter}");
  expect(await screen.findByRole("list", { name: "Messages" })).toHaveTextContent("Hello");
});

test("what is sent before the messages have come follows the last of them", async () => {
  const user = userEvent.setup();
  let come: () => void = () => undefined;
  const later = new Promise<void>((resolve) => (come = resolve));
  const parents: (string | null)[] = [];
  let lastId: string | undefined;
  open("/chat", {}, (api) => ({
    listMessages: async (id) => {
      await later;
      const messages = await api.listMessages(id);
      lastId ??= messages.at(-1)?.id;
      return messages;
    },
    sendMessage: (id, body) => {
      parents.push(body.parent_id ?? null);
      return api.sendMessage(id, body);
    },
  }));
  await user.click(await screen.findByRole("link", { name: "A loaf for a slow morning" }));
  await user.type(screen.getByRole("textbox", { name: "Message" }), "Thank you!{Enter}");
  expect(parents).toEqual([]);
  await act(async () => {
    come();
    await later;
  });
  await waitFor(() => expect(parents).toHaveLength(1));
  expect(lastId).toBeDefined();
  expect(parents).toEqual([lastId]);
});

test("a rating can be given and taken back", async () => {
  const user = userEvent.setup();
  open("/chat");
  await ask(user, "Hello");
  await user.click(await finished());
  await waitFor(() =>
    expect(screen.getByRole("button", { name: "Good answer" })).toHaveAttribute(
      "aria-pressed",
      "true",
    ),
  );
  await user.click(screen.getByRole("button", { name: "Good answer" }));
  await waitFor(() =>
    expect(screen.getByRole("button", { name: "Good answer" })).toHaveAttribute(
      "aria-pressed",
      "false",
    ),
  );
});

test("a deleted conversation comes back with undo", async () => {
  const user = userEvent.setup();
  open("/chat");
  const title = "A loaf for a slow morning";
  await user.click(await screen.findByRole("button", { name: `Actions for ${title}` }));
  await user.click(await screen.findByRole("menuitem", { name: "Delete" }));
  await waitFor(() => expect(screen.queryByRole("link", { name: title })).toBeNull());
  await user.click(await screen.findByRole("button", { name: "Undo" }));
  expect(await screen.findByRole("link", { name: title })).toBeInTheDocument();
});

test("a conversation that is gone leads on to a new one", async () => {
  open("/chat/nowhere", {}, () => ({
    getConversation: refusal(404, { code: "not_found", message: "There is none." }),
  }));
  expect(await screen.findByRole("heading", { name: "Nothing to see here" })).toBeInTheDocument();
});

test("back from a new conversation leads to the list of all", async () => {
  const user = userEvent.setup();
  const { router } = visit("/chat");
  await ask(user, "Hello");
  await finished();
  expect(router.state.location.pathname).toMatch(/^\/chat\/conversation-/);
  await act(() => router.navigate(-1));
  expect(router.state.location.pathname).toBe("/chat/list");
});

test("the list's own button goes back to it, also on the first page of all", async () => {
  const user = userEvent.setup();
  const { router } = visit("/chat/only", {}, (api) => ({
    getConversation: () => api.createConversation({}),
    listMessages: () => Promise.resolve([]),
  }));
  await user.click(await screen.findByRole("button", { name: "Conversations" }));
  await waitFor(() => expect(router.state.location.pathname).toBe("/chat/list"));
});

test("a number in an answer opens the passage it stands for", async () => {
  const user = userEvent.setup();
  open("/chat");
  await ask(user, "Hello");
  await user.click(await screen.findByRole("link", { name: "Passage 1 in House rules.pdf" }));
  const sheet = await screen.findByRole("dialog", { name: "House rules.pdf" });
  expect(sheet).toHaveTextContent("The boiler code is 4711.");
});

test.each([
  { choice: "Keep", kept: ["My doctor is called Weber"] },
  { choice: "No", kept: [] },
])("what may be remembered is offered under the answer: $choice", async ({ choice, kept }) => {
  const user = userEvent.setup();
  const api = open("/chat");
  await ask(user, "My doctor is called Weber.");
  const offer = await screen.findByRole("group", { name: "Shall this be remembered?" });
  expect(offer).toHaveTextContent("My doctor is called Weber");
  await user.click(within(offer).getByRole("button", { name: choice }));
  await waitFor(() => expect(offer).not.toBeInTheDocument());
  const { items } = await api.listMemories();
  const doctor = items.filter(({ content }) => content.includes("doctor"));
  expect(doctor.filter(({ state }) => state === "kept").map(({ content }) => content)).toEqual(
    kept,
  );
  expect(doctor).toHaveLength(kept.length);
});

test("an offer that could not be answered stays, and says why", async () => {
  const user = userEvent.setup();
  open("/chat", {}, () => ({ updateMemory: () => Promise.reject(ApiError.offline()) }));
  await ask(user, "My doctor is called Weber.");
  const offer = await screen.findByRole("group", { name: "Shall this be remembered?" });
  await user.click(within(offer).getByRole("button", { name: "Keep" }));
  expect(await within(offer).findByRole("alert")).toHaveTextContent("cannot be reached");
});

const documents = () => screen.findByRole("combobox", { name: "Documents" });

test("where a conversation looks is chosen before it begins and while it lasts", async () => {
  const user = userEvent.setup();
  const { api, router } = visit("/chat");
  await user.selectOptions(await documents(), "Documents in Taxes");
  await ask(user, "Hello");
  await finished();
  const id = router.state.location.pathname.replace("/chat/", "");
  expect(await api.getScope(id)).toMatchObject({ uses_knowledge: true, folder: "Taxes" });
  await user.selectOptions(await documents(), "Without documents");
  await waitFor(async () =>
    expect(await api.getScope(id)).toMatchObject({ uses_knowledge: false, folder: null }),
  );
});

test("an assistant that is chosen later looks where the conversation looks", async () => {
  const user = userEvent.setup();
  const { api, router } = visit("/chat");
  await user.selectOptions(await documents(), "Documents in Taxes");
  await ask(user, "Hello");
  await finished();
  const assistant = await screen.findByRole("combobox", { name: "Assistant" });
  await user.selectOptions(assistant, "Household helper");
  const id = router.state.location.pathname.replace("/chat/", "");
  await waitFor(async () => expect((await api.getScope(id)).assistant_id).not.toBeNull());
  expect(await api.getScope(id)).toMatchObject({ uses_knowledge: true, folder: "Taxes" });
  expect(await documents()).toHaveDisplayValue("Documents in Taxes");
});

test("without any document there is no choice of documents", async () => {
  open("/chat", { empty: true });
  await screen.findByRole("textbox", { name: "Message" });
  expect(screen.queryByRole("combobox", { name: "Documents" })).toBeNull();
});
