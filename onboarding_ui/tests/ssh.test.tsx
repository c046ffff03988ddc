import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { Role } from "@/api/types";
import { open, refusal } from "./page";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKLtWTIyTkmVAzmrsQW5SLWCpkOr6kVDIxTlgXWOxLLo Ana";

const card = async () => {
  const heading = await screen.findByRole("heading", { name: "SSH" });
  return within(heading.closest("section") as HTMLElement);
};

test("SSH is closed, says what it is for, and cannot be opened without a key", async () => {
  open("/box");
  const ssh = await card();
  expect(await ssh.findByText("SSH is closed.")).toBeInTheDocument();
  expect(ssh.getByText(/cannot change anything, nor see conversations/)).toBeInTheDocument();
  expect(ssh.getByRole("button", { name: "Open" })).toBeDisabled();
});

test("a key is added, SSH opened for eight hours, and closed again", async () => {
  const user = userEvent.setup();
  open("/box");
  const ssh = await card();
  await user.click(await ssh.findByText("Add a key"));
  await user.type(ssh.getByLabelText("Public key"), KEY);
  await user.click(ssh.getByRole("button", { name: "Add" }));
  expect(await ssh.findByText("Ana")).toBeInTheDocument();
  expect(ssh.getByLabelText("Public key")).toHaveValue("");

  await user.selectOptions(ssh.getByLabelText("Open for"), "8 hours");
  await user.click(ssh.getByRole("button", { name: "Open" }));
  expect(await ssh.findByText(/SSH is open until/)).toBeInTheDocument();
  expect(ssh.getByText("ssh helper@kitchen.local")).toBeInTheDocument();
  expect(ssh.getByText(/^SHA256:uNiV/)).toBeInTheDocument();
  await waitFor(() => expect(screen.getAllByText(/SSH is open until/)).toHaveLength(2));

  await user.click(ssh.getByRole("button", { name: "Close now" }));
  expect(await ssh.findByText("SSH is closed.")).toBeInTheDocument();
  await user.click(ssh.getByText("What was done"));
  expect(ssh.getByText(/Ana opened it for 8 hours/)).toBeInTheDocument();
  expect(ssh.getByText(/Ana closed it/)).toBeInTheDocument();
});

test("a key that the box refuses stays where it was typed, with the reason", async () => {
  const user = userEvent.setup();
  open("/box");
  const ssh = await card();
  await user.click(await ssh.findByText("Add a key"));
  await user.type(ssh.getByLabelText("Public key"), "no-pty ssh-rsa AAAA");
  await user.click(ssh.getByRole("button", { name: "Add" }));
  expect(await ssh.findByRole("alert")).toHaveTextContent("with nothing before it");
  expect(ssh.getByLabelText("Public key")).toHaveValue("no-pty ssh-rsa AAAA");
});

test("removing a key while SSH is open asks first, for it closes", async () => {
  const user = userEvent.setup();
  open("/box", { ssh: "open" });
  const ssh = await card();
  await user.click(await ssh.findByRole("button", { name: "Remove helper@workshop" }));
  expect(ssh.getByText(/whoever is signed in is cut off/)).toBeInTheDocument();
  await user.click(ssh.getByRole("button", { name: "Cancel" }));
  expect(ssh.getByText(/SSH is open until/)).toBeInTheDocument();
  await user.click(ssh.getByRole("button", { name: "Remove helper@workshop" }));
  await user.click(ssh.getByRole("button", { name: "Remove" }));
  expect(await ssh.findByText("SSH is closed.")).toBeInTheDocument();
  expect(ssh.queryByText("helper@workshop")).toBeNull();
});

test("an opening that fails says so, and SSH stays closed", async () => {
  const user = userEvent.setup();
  const problem = { code: "unavailable", message: "SSH could not be opened." };
  open("/box", { ssh: "ready" }, () => ({ openSsh: refusal(503, problem) }));
  const ssh = await card();
  await user.click(await ssh.findByRole("button", { name: "Open" }));
  expect(await ssh.findByRole("alert")).toHaveTextContent("SSH could not be opened.");
  expect(ssh.getByText("SSH is closed.")).toBeInTheDocument();
});

test("on a machine whose SSH is its owner's there is nothing to open", async () => {
  open("/box", {}, (api) => ({
    getSsh: async () => ({ ...(await api.getSsh()), supported: false }),
  }));
  const ssh = await card();
  expect(await ssh.findByText(/is not Allerac's/)).toBeInTheDocument();
  expect(ssh.queryByRole("button", { name: "Open" })).toBeNull();
});

test.each<Role>(["admin", "member", "guest"])(
  "for a person who is %s it is told that SSH is open, and no more",
  async (role) => {
    open("/box", { ssh: "open" }, (api) => ({
      getSession: async () => {
        const session = await api.getSession();
        return { ...session, person: { ...session.person, role } };
      },
    }));
    expect(await screen.findByText(/SSH is open until/)).toBeInTheDocument();
    expect(screen.queryByRole("heading", { name: "SSH" })).toBeNull();
  },
);
