import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MOCK_PASSWORD, MOCK_RECOVERY_CODE } from "@/api/mock/scenario";
import { ApiError } from "@/api/problem";
import { open, refusal, refusedOnce } from "./page";

const signedOut = { signedIn: false };

async function signIn(password: string): Promise<void> {
  const user = userEvent.setup();
  await user.type(await screen.findByLabelText("Your name"), "Ana");
  await user.type(screen.getByLabelText("Password"), password);
  await user.click(screen.getByRole("button", { name: "Sign in" }));
}

test("a wrong password is said and nothing that was typed is lost", async () => {
  open("/", signedOut);
  await signIn("wrong");
  expect(await screen.findByRole("alert")).toHaveTextContent("do not match");
  expect(screen.getByLabelText("Your name")).toHaveValue("Ana");
});

test("the right password opens the chat", async () => {
  open("/", signedOut);
  await signIn(MOCK_PASSWORD);
  expect(await screen.findByRole("heading", { name: /Ana/ })).toBeInTheDocument();
});

test("too many tries say how long to wait", async () => {
  const slow = { code: "too_many_attempts", message: "Too many wrong tries.", hint: "Wait 30 s." };
  open("/", signedOut, () => ({ signIn: refusal(429, slow) }));
  await signIn("wrong");
  expect(await screen.findByRole("alert")).toHaveTextContent("Too many wrong tries.Wait 30 s.");
});

test("a box that cannot be reached says so and is asked again", async () => {
  const user = userEvent.setup();
  open("/", signedOut, (api) => ({
    getStatus: refusedOnce(() => api.getStatus(), ApiError.offline()),
  }));
  expect(await screen.findByRole("alert")).toHaveTextContent("cannot be reached");
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByRole("heading", { name: "Sign in" })).toBeInTheDocument();
});

test("the recovery code opens the box and is replaced by a new one", async () => {
  const user = userEvent.setup();
  open("/", signedOut);
  await user.click(await screen.findByRole("link", { name: "I lost my password" }));
  await user.type(screen.getByLabelText("Your name"), "Ana");
  await user.type(screen.getByLabelText("Recovery code"), MOCK_RECOVERY_CODE);
  await user.type(screen.getByLabelText("New password"), "four quiet lanterns at sea");
  await user.click(screen.getByRole("button", { name: "Set the new password" }));
  expect(await screen.findByRole("heading", { name: "Your recovery code" })).toBeInTheDocument();
  await user.click(screen.getByRole("checkbox"));
  expect(screen.getByRole("button", { name: "Next" })).toBeEnabled();
});

test("a wrong recovery code is refused", async () => {
  const user = userEvent.setup();
  open("/recover", signedOut);
  await user.type(await screen.findByLabelText("Your name"), "Ana");
  await user.type(screen.getByLabelText("Recovery code"), "AAAA-AAAA");
  await user.type(screen.getByLabelText("New password"), "four quiet lanterns at sea");
  await user.click(screen.getByRole("button", { name: "Set the new password" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("do not match");
});

test("a used invitation is explained, with the way to the sign-in", async () => {
  open("/join/used", signedOut);
  expect(
    await screen.findByRole("heading", { name: "This invitation does not work" }),
  ).toBeInTheDocument();
  expect(screen.getByRole("link", { name: "Sign in" })).toBeInTheDocument();
});

test("an invited person learns as what and keeps a recovery code of their own", async () => {
  const user = userEvent.setup();
  open("/join/good", signedOut);
  expect(await screen.findByText(/You are invited as: Member/)).toBeInTheDocument();
  await user.type(screen.getByLabelText("Your name"), "Ben");
  await user.type(screen.getByLabelText("Password"), "four quiet lanterns at sea");
  await user.click(screen.getByRole("button", { name: "Join" }));
  expect(await screen.findByLabelText("Recovery code")).toHaveTextContent(MOCK_RECOVERY_CODE);
});
