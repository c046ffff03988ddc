import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MOCK_CLAIM_CODE } from "@/api/mock/scenario";
import { open } from "./page";

beforeEach(() => localStorage.clear());

test("an unclaimed box opens its wizard and takes the right code only", async () => {
  const user = userEvent.setup();
  open("/", { claimed: false, signedIn: false });
  await user.click(await screen.findByRole("button", { name: /English/ }));
  const code = await screen.findByLabelText("Code on the label");
  await user.type(code, "AAAAAAAA");
  await user.click(screen.getByRole("button", { name: "Next" }));
  expect(await screen.findByRole("alert")).toBeInTheDocument();
  await user.clear(code);
  await user.type(code, MOCK_CLAIM_CODE);
  await user.click(screen.getByRole("button", { name: "Next" }));
  expect(await screen.findByRole("heading", { name: "Who are you?" })).toBeInTheDocument();
});

test("whoever is signed out is asked to sign in", async () => {
  open("/chat", { signedIn: false });
  expect(await screen.findByRole("heading", { name: "Sign in" })).toBeInTheDocument();
});

test("a question gets its answer below it", async () => {
  const user = userEvent.setup();
  open("/chat");
  const message = await screen.findByRole("textbox", { name: "Message" });
  await user.type(message, "Hello{Enter}");
  expect(await screen.findByRole("list", { name: "Messages" })).toHaveTextContent("Hello");
  await waitFor(() =>
    expect(screen.getByRole("button", { name: "Good answer" })).toBeInTheDocument(),
  );
});

test("what was typed survives a reload", async () => {
  const user = userEvent.setup();
  open("/chat");
  await user.type(await screen.findByRole("textbox", { name: "Message" }), "half a thought");
  expect(localStorage.getItem("draft:new")).toBe("half a thought");
});

test("models say how fast they are here", async () => {
  open("/box/models");
  expect((await screen.findAllByText(/words a second here/)).length).toBeGreaterThan(0);
});

test("the household and its invitations are on one page", async () => {
  open("/people");
  expect(await screen.findByRole("heading", { name: "Household" })).toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Make a link" })).toBeInTheDocument();
});
