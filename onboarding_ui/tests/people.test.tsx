import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { owner } from "@/api/mock/scenario";
import { open, refusal } from "./page";

test("an invitation is a link to copy and a code to scan, and can be taken back", async () => {
  const user = userEvent.setup();
  open("/people");
  await user.selectOptions(await screen.findByLabelText("As"), "Guest, chats only");
  await user.click(screen.getByRole("button", { name: "Make a link" }));
  expect(await screen.findByRole("img", { name: "QR code of the invitation" })).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Copy the link" }));
  expect(await navigator.clipboard.readText()).toMatch(/\/join\//);
  expect(await screen.findByRole("button", { name: "Copied" })).toBeInTheDocument();
  const line = (await screen.findByText(/Guest, chats only, until/)).closest("li");
  await user.click(within(line ?? document.body).getByRole("button", { name: "Take back" }));
  expect(await screen.findByRole("button", { name: "Make a link" })).toBeInTheDocument();
  expect(screen.queryByText(/Guest, chats only, until/)).toBeNull();
});

test("a person is removed only after their name was typed", async () => {
  const user = userEvent.setup();
  open("/people");
  await user.click(await screen.findByRole("button", { name: "Remove" }));
  const confirm = screen.getByRole("button", { name: "Remove Jonas" });
  const typed = screen.getByLabelText("Type “Jonas” to confirm");
  expect(typed).toHaveFocus();
  expect(confirm).toBeDisabled();
  await user.type(typed, "Jona{Enter}");
  expect(screen.getByText("Jonas")).toBeInTheDocument();
  await user.type(typed, "s");
  await user.click(confirm);
  await vi.waitFor(() => expect(screen.queryByText("Jonas")).toBeNull());
});

test("removing can be called off", async () => {
  const user = userEvent.setup();
  open("/people");
  await user.click(await screen.findByRole("button", { name: "Remove" }));
  await user.click(screen.getByRole("button", { name: "Cancel" }));
  expect(screen.getByRole("button", { name: "Remove" })).toBeInTheDocument();
});

test("what the box refuses is said at the person", async () => {
  const user = userEvent.setup();
  open("/people", {}, () => ({
    updatePerson: refusal(403, { code: "forbidden", message: "Only the owner may do this." }),
  }));
  await user.click(await screen.findByRole("button", { name: "Switch off" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("Only the owner may do this.");
});

test("a person who is switched off is marked and can be switched on", async () => {
  const user = userEvent.setup();
  open("/people");
  await user.click(await screen.findByRole("button", { name: "Switch off" }));
  expect(await screen.findByText(/switched off/)).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Switch on" }));
  expect(await screen.findByRole("button", { name: "Switch off" })).toBeInTheDocument();
});

test("nobody can remove the owner or themselves", async () => {
  open("/people");
  const mine = (await screen.findByText("Ana")).closest("li");
  expect(within(mine ?? document.body).queryByRole("button")).toBeNull();
});

test("a key is shown once, to be copied", async () => {
  const user = userEvent.setup();
  open("/people");
  await user.type(await screen.findByLabelText("Name of the program"), "Home Assistant");
  await user.click(screen.getByRole("button", { name: "Make a key" }));
  expect(await screen.findByLabelText("Key")).toHaveTextContent(/^alr_/);
  await user.click(screen.getByRole("button", { name: "Copy the key" }));
  expect(await navigator.clipboard.readText()).toMatch(/^alr_/);
  const line = screen.getByText("Home Assistant").closest("li");
  await user.click(within(line ?? document.body).getByRole("button", { name: "End" }));
  await vi.waitFor(() => expect(screen.queryByText("Home Assistant")).toBeNull());
});

test("the pages speak the chosen language at once, and English again", async () => {
  const user = userEvent.setup();
  open("/people");
  await user.selectOptions(await screen.findByLabelText("Language"), "Deutsch");
  expect(await screen.findByRole("heading", { name: "Haushalt" })).toBeInTheDocument();
  expect(document.documentElement.lang).toBe("de");
  await user.selectOptions(screen.getByLabelText("Sprache"), "English");
  expect(await screen.findByRole("heading", { name: "Household" })).toBeInTheDocument();
});

test("signing out everywhere else leaves this one", async () => {
  const user = userEvent.setup();
  open("/people");
  expect(await screen.findByText("Safari, iPhone")).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Sign out everywhere else" }));
  await vi.waitFor(() => expect(screen.queryByText("Safari, iPhone")).toBeNull());
  expect(screen.getByText("Firefox, Linux")).toBeInTheDocument();
});

test("signing out here leads to the door", async () => {
  const user = userEvent.setup();
  open("/people");
  await user.click(await screen.findByRole("button", { name: "Sign out here" }));
  expect(await screen.findByRole("heading", { name: "Sign in" })).toBeInTheDocument();
});

test("a guest sees only what is theirs", async () => {
  open("/people", {}, () => ({
    getSession: () =>
      Promise.resolve({ person: { ...owner, role: "guest" }, expires_at: "2027-01-01T00:00:00Z" }),
  }));
  expect(await screen.findByRole("heading", { name: "My account: Ana" })).toBeInTheDocument();
  expect(screen.queryByRole("heading", { name: "Household" })).toBeNull();
  expect(screen.queryByRole("heading", { name: "Keys for programs" })).toBeNull();
});
