import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { owner } from "@/api/mock/scenario";
import { open, refusal } from "./page";

const row = async (name: string): Promise<HTMLElement> =>
  (await screen.findByRole("heading", { level: 3, name })).closest("li") ?? document.body;

test("a download says how far it is, how fast, and how long it will take", async () => {
  open("/box/models", { downloading: true });
  const moving = await row("Qwen 3, 4 B");
  const bar = within(moving).getByRole<HTMLProgressElement>("progressbar");
  expect(bar.value).toBeCloseTo(0.43, 1);
  expect(moving).toHaveTextContent(
    /Downloading · 1\.\d GB \/ 2\.5 GB · 9\.4 MB\/s · [23] min left/,
  );
});

test("a download is halted and goes on from there", async () => {
  const user = userEvent.setup();
  open("/box/models", { downloading: true });
  const moving = await row("Qwen 3, 4 B");
  await user.click(within(moving).getByRole("button", { name: "Pause" }));
  expect(await within(moving).findByText(/Paused/)).toBeInTheDocument();
  await user.click(within(moving).getByRole("button", { name: "Go on" }));
  expect(await within(moving).findByText(/Downloading/)).toBeInTheDocument();
  expect(within(moving).getByRole("progressbar")).toHaveAttribute(
    "value",
    expect.stringMatching(/^0\.4/),
  );
});

test("a disk that is too small is said before anything is fetched", async () => {
  const user = userEvent.setup();
  const full = {
    code: "insufficient_disk",
    message: "The model needs 2.5 GB; 1.1 GB are free.",
    hint: "Remove a model that you do not use.",
  };
  open("/box/models", {}, () => ({ downloadModel: refusal(507, full) }));
  const card = await row("Qwen 3, 4 B");
  await user.click(within(card).getByRole("button", { name: "Download" }));
  expect(await within(card).findByRole("alert")).toHaveTextContent("1.1 GB are free");
  expect(within(card).getByRole("button", { name: "Download" })).toBeEnabled();
});

test("a failed download says why, what to do, and offers another try", async () => {
  open("/box/models", { downloading: true });
  const failed = await row("Qwen 3, 14 B");
  expect(within(failed).getByRole("alert")).toHaveTextContent("not enough room");
  expect(within(failed).getByRole("alert")).toHaveTextContent("Remove a model");
  expect(within(failed).getByRole("button", { name: "Try again" })).toBeInTheDocument();
});

test("a model that this machine cannot hold is shown with the reason, not offered", async () => {
  open("/box/models");
  const large = await row("Qwen 3, 14 B");
  expect(large).toHaveTextContent("too large");
  expect(large).toHaveTextContent("this machine has 8 GB");
  expect(within(large).queryByRole("button")).toBeNull();
});

test("removing a model is asked twice, and can be called off", async () => {
  const user = userEvent.setup();
  open("/box/models", { secondModel: true });
  const card = await row("Qwen 3, 4 B");
  await user.click(within(card).getByRole("button", { name: "Remove" }));
  expect(card).toHaveTextContent("frees 2.5 GB");
  await user.click(within(card).getByRole("button", { name: "Cancel" }));
  await user.click(within(card).getByRole("button", { name: "Remove" }));
  await user.click(within(card).getByRole("button", { name: "Remove the model" }));
  const gone = await row("Qwen 3, 4 B");
  expect(await within(gone).findByRole("button", { name: "Download" })).toBeInTheDocument();
});

test("another model answers from now on", async () => {
  const user = userEvent.setup();
  open("/box/models", { secondModel: true });
  expect(
    await screen.findByText(/small demonstration model.*paste\./, { selector: "p[role]" }),
  ).toBeInTheDocument();
  await user.click(await screen.findByRole("button", { name: "Use this model" }));
  const card = await row("Qwen 3, 4 B");
  expect(await within(card).findByText("In use")).toBeInTheDocument();
  expect(screen.queryByText(/small demonstration model/, { selector: "p[role]" })).toBeNull();
});

test("a damaged file is found and can be fetched again", async () => {
  const user = userEvent.setup();
  open("/box/models", {}, () => ({
    verifyModel: () => Promise.resolve({ ok: false, reason: "The file has changed." }),
  }));
  const card = await row("Demonstration");
  await user.click(within(card).getByRole("button", { name: "Check the file" }));
  expect(await screen.findByText("The file has changed.")).toBeInTheDocument();
});

test("a file that is no model is refused with the reason", async () => {
  const user = userEvent.setup();
  open("/box/models");
  await user.type(await screen.findByLabelText("Path on the box"), "/media/usb/cat.jpg");
  await user.click(screen.getByRole("button", { name: "Take it in" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("not a model");
});

test("a member sees the models but changes nothing", async () => {
  open("/box/models", {}, () => ({
    getSession: () =>
      Promise.resolve({ person: { ...owner, role: "member" }, expires_at: "2027-01-01T00:00:00Z" }),
  }));
  const card = await row("Qwen 3, 4 B");
  expect(within(card).queryByRole("button")).toBeNull();
  expect(screen.queryByLabelText("Path on the box")).toBeNull();
});

test.each(["/box/models", "/box"])("%s says how far off the told waits were", async (page) => {
  open(page);
  expect(
    await screen.findByText("Half of 38 waiting times told were off by 12 % or less."),
  ).toBeInTheDocument();
});

test("nothing is said of waits before any was told", async () => {
  open("/box/models", {}, () => ({
    getEngineSpeed: () =>
      Promise.resolve({ calibrations: [], honesty: { estimates: 0, median_error: null } }),
  }));
  await row("Qwen 3, 4 B");
  expect(screen.queryByText(/waiting times/)).toBeNull();
});

test("the model that finds in documents is a group of its own, and is fetched there", async () => {
  const user = userEvent.setup();
  open("/box/models");
  const group = await screen.findByRole("heading", { name: "For finding in documents" });
  const card = await row("Nomic Embed 1.5");
  expect(group.closest("section")).toContainElement(card);
  expect(card).toHaveTextContent("146 MB to download");
  expect(card).not.toHaveTextContent("words a second");
  await user.click(within(card).getByRole("button", { name: "Download" }));
  expect(await within(card).findByRole("progressbar")).toBeVisible();
  await within(card).findByRole("button", { name: "Remove" }, { timeout: 10_000 });
  expect(within(card).queryByRole("button", { name: "Use this model" })).toBeNull();
});
