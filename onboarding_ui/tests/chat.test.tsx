import { configure, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { open } from "./page";

configure({ asyncUtilTimeout: 5000 });
beforeEach(() => localStorage.clear());

test("what is read as a summary is marked, and the summary can be read", async () => {
  const user = userEvent.setup();
  open("/chat");
  await user.click(await screen.findByText("A beehive on the roof"));
  const mark = await screen.findByText("4 earlier messages are summarised");
  expect(mark.closest("li")).toHaveTextContent("And how much honey is that?");
  await user.click(mark);
  expect(await screen.findByText(/out of the wind/)).toBeVisible();
});

test("a conversation without a summary has no mark", async () => {
  const user = userEvent.setup();
  open("/chat");
  await user.click(await screen.findByText("A loaf for a slow morning"));
  await screen.findByText(/dough rest/);
  expect(screen.queryByText(/summarised/)).not.toBeInTheDocument();
});

test("the gauge counts what is being written and warns before anything is left out", async () => {
  const user = userEvent.setup();
  open("/chat");
  await user.click(await screen.findByText("A loaf for a slow morning"));
  const gauge = await screen.findByRole("img", { name: /of what the model can read/ });
  const before = gauge.getAttribute("aria-label");
  const message = screen.getByRole("textbox", { name: "Message" });
  await user.click(message);
  await user.paste("word ".repeat(400));
  await waitFor(() => expect(gauge.getAttribute("aria-label")).not.toBe(before));
  await user.paste("word ".repeat(350));
  expect(await screen.findByText("The first 2 messages will not be read any more.")).toBeVisible();
  await user.paste("word ".repeat(500));
  expect(await screen.findByText("This is longer than the model can read.")).toBeVisible();
  await user.clear(message);
  await waitFor(() => expect(gauge.getAttribute("aria-label")).toBe(before));
});

test("what is found by meaning says so and shows the sentence without marks", async () => {
  const user = userEvent.setup();
  open("/chat");
  await user.click(await screen.findByRole("searchbox", { name: "Search" }));
  await user.paste("baking");
  const found = await screen.findByRole("link", { name: /Found by meaning: .*dough/ });
  expect(found.querySelector("mark")).toBeNull();
  await user.clear(screen.getByRole("searchbox", { name: "Search" }));
  await user.paste("loaf");
  const literal = await screen.findByRole("link", { name: /A loaf/ });
  await waitFor(() => expect(literal.querySelector("mark")).toHaveTextContent("loaf"));
  expect(screen.queryByText("Found by meaning:")).not.toBeInTheDocument();
});

test("a search goes on page by page, with what is archived, each find once", async () => {
  const user = userEvent.setup();
  const api = open("/chat");
  for (let number = 0; number < 25; number += 1) {
    const { id } = await api.createConversation({});
    await api.updateConversation(id, { title: `🐝🐝 honey ${number}`, archived: number === 0 });
  }
  await user.click(await screen.findByRole("searchbox", { name: "Search" }));
  await user.paste("honey");
  const links = (): HTMLElement[] => screen.queryAllByRole("link", { name: /🐝/ });
  await waitFor(() => expect(links()).toHaveLength(20));
  await user.click(screen.getByRole("button", { name: "Show more" }));
  await waitFor(() => expect(links()).toHaveLength(25));
  expect(screen.queryByRole("button", { name: "Show more" })).not.toBeInTheDocument();
  expect(screen.getAllByLabelText("Archived")).toHaveLength(1);
  expect(links()[0]?.querySelector("mark")).toHaveTextContent(/^honey$/);
});
