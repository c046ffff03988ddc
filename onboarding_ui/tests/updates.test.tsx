import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { vi } from "vitest";
import type { AlleracApi } from "@/api/allerac-api";
import { ApiError } from "@/api/problem";
import type { Updates } from "@/api/types";
import { open, refusal, visit } from "./page";

const PAGE = "/box/updates";

const playing =
  (patch: Partial<Updates>) =>
  (api: AlleracApi): Partial<AlleracApi> => ({
    getUpdates: async () => ({ ...(await api.getUpdates()), ...patch }),
  });

/** A box that stays in each step of an update until the test has seen it and lets it go on. */
function stepwise() {
  const unseen = new Set<Updates["state"]>(["downloading", "rebooting", "proving"]);
  let last: Updates | null = null;
  const noted = async (reply: Promise<Updates>): Promise<Updates> => (last = await reply);
  return {
    replies: (api: AlleracApi): Partial<AlleracApi> => ({
      getUpdates: async () =>
        last !== null && unseen.has(last.state) ? last : noted(api.getUpdates()),
      installUpdate: (...given) => noted(api.installUpdate(...given)),
      restartIntoUpdate: () => noted(api.restartIntoUpdate()),
    }),
    seen: async (state: Updates["state"], words: string): Promise<void> => {
      expect(await screen.findByText(words)).toBeInTheDocument();
      unseen.delete(state);
    },
  };
}

async function currentStep(): Promise<HTMLElement> {
  const steps = await screen.findByRole("list", { name: "Steps of the update" });
  return within(steps)
    .getAllByRole("listitem")
    .filter((step) => step.getAttribute("aria-current") === "step")[0] as HTMLElement;
}

test("a box without anything newer says so, and when it looked", async () => {
  open(PAGE);
  expect(await screen.findByText("The box is up to date")).toBeInTheDocument();
  expect(screen.getByText(/Version 0\.2\.0 is installed\. Last looked on/)).toBeInTheDocument();
  expect(screen.queryByRole("list", { name: "Steps of the update" })).toBeNull();
});

test("a box that never looked does not claim to be up to date", async () => {
  open(PAGE, {}, playing({ checked_at: null }));
  expect(await screen.findByText(/has not looked for another one yet/)).toBeInTheDocument();
  expect(screen.getByText("Version 0.2.0 runs")).toBeInTheDocument();
  expect(screen.queryByText("The box is up to date")).toBeNull();
});

test("a box that stays with a version says that it was wished", async () => {
  open(PAGE, {}, playing({ pinned_version: "0.2.0" }));
  expect(await screen.findByText(/It stays there, as you wished/)).toBeInTheDocument();
});

test("a version whose turn is not yet says so, and for how many it is meant", async () => {
  open(PAGE, { notItsTurn: true });
  expect(await screen.findByText(/meant for 20 % of them so far/)).toBeInTheDocument();
  expect(screen.getByText("Version 0.2.0 runs")).toBeInTheDocument();
  expect(screen.queryByText("The box is up to date")).toBeNull();
});

test.each([
  ["pinned", /because the box stays with its version/],
  ["came_back", /did not stay here and does not come again by itself/],
  ["withdrawn", /was withdrawn/],
  ["needs_another_first", /needs another version in between/],
] as const)("a version that does not come says why: %s", async (why, words) => {
  open(PAGE, {}, playing({ withheld: { version: "0.3.0", why, percentage: 100 } }));
  expect(await screen.findByText(words)).toBeInTheDocument();
});

test("looking finds what changes, in words", async () => {
  const user = userEvent.setup();
  open(PAGE);
  await user.click(await screen.findByRole("button", { name: "Look for updates" }));
  expect(await screen.findByText("Version 0.3.0 is there")).toBeInTheDocument();
  expect(screen.getByRole("heading", { name: "What changes with 0.3.0" })).toBeInTheDocument();
  expect(screen.getByText(/Answers begin sooner/)).toBeInTheDocument();
  expect(screen.getByText(/412 MB/)).toBeInTheDocument();
});

test("a check that fails says why and what happens next", async () => {
  const user = userEvent.setup();
  open(PAGE, {}, () => ({
    checkForUpdates: refusal(502, {
      code: "update_failed",
      message: "The update server cannot be reached.",
      hint: "It tries again by itself.",
    }),
  }));
  await user.click(await screen.findByRole("button", { name: "Look for updates" }));
  expect(await screen.findByRole("alert")).toHaveTextContent(
    "The update server cannot be reached.It tries again by itself.",
  );
});

test("what is fetched is told in percent, bytes and time left", async () => {
  open(PAGE, { update: "downloading" });
  expect(await currentStep()).toHaveTextContent("Downloading");
  expect(screen.getByRole("progressbar")).toHaveAttribute("value", "38");
  expect(screen.getByText(/38 % · 157 MB \/ 412 MB · 2 min left/)).toBeInTheDocument();
});

test("when everything has arrived it is being installed", async () => {
  const progress = { percent: 100, done_bytes: 10, total_bytes: 10, seconds_left: 0 };
  open(PAGE, { update: "downloading" }, playing({ progress }));
  expect(await currentStep()).toHaveTextContent("Installing");
});

test("the first moments of an update name no time that nobody knows", async () => {
  const progress = { percent: 1, done_bytes: 1_000_000, total_bytes: 412e6, seconds_left: null };
  open(PAGE, { update: "downloading" }, playing({ progress }));
  expect(await screen.findByText(/^1 % · 1 MB \/ 412 MB$/)).toBeInTheDocument();
});

test("an update goes from the click through the restart to its proof, on one page", async () => {
  const user = userEvent.setup();
  const box = stepwise();
  open(PAGE, { update: "available" }, box.replies);
  await user.click(await screen.findByRole("button", { name: "Install now" }));
  await box.seen("downloading", "Version 0.3.0 is on its way");
  await user.click(await screen.findByRole("button", { name: "Restart now" }));
  await box.seen("rebooting", "The box restarts");
  await box.seen("proving", "Version 0.3.0 proves itself");
  expect(await screen.findByText("Version 0.3.0 runs")).toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Load anew" })).toBeInTheDocument();
  const history = screen.getByRole("heading", { name: "History" }).closest("section");
  await waitFor(() => expect(history).toHaveTextContent("0.2.0 → 0.3.0stayed"));
});

test("a box that is away because it restarts is not trouble", async () => {
  let looks = 0;
  open(PAGE, { update: "rebooting" }, (api) => ({
    getUpdates: () => ((looks += 1) > 1 ? Promise.reject(ApiError.offline()) : api.getUpdates()),
    getBox: () => Promise.reject(ApiError.offline()),
  }));
  expect(await screen.findByText("The box restarts for an update.")).toBeInTheDocument();
  await waitFor(() => expect(looks).toBeGreaterThan(1));
  expect(screen.getByText("The box restarts")).toBeInTheDocument();
  expect(screen.queryByRole("alert")).toBeNull();
  expect(await currentStep()).toHaveTextContent("Restarting");
});

test("every change arrives by itself, without asking", async () => {
  let tell: (updates: Updates) => void = () => undefined;
  const looks = vi.fn<AlleracApi["getUpdates"]>();
  const { api } = visit(PAGE, { update: "proving" }, (mock) => ({
    getUpdates: looks.mockImplementation(() => mock.getUpdates()),
    streamUpdates: async function* () {
      for (;;) yield await new Promise<Updates>((resolve) => (tell = resolve));
    },
  }));
  expect(await screen.findByText("Version 0.3.0 proves itself")).toBeInTheDocument();
  const now = await api.getUpdates();
  const asked = looks.mock.calls.length;
  tell({ ...now, state: "good" });
  expect(await screen.findByText("Version 0.3.0 runs")).toBeInTheDocument();
  expect(looks.mock.calls.length).toBe(asked);
});

test("the lamp breathes while an update is under way", async () => {
  open(PAGE, { update: "proving" });
  await screen.findByText("Version 0.3.0 proves itself");
  const lamps = await screen.findAllByRole("img", { name: "Working" });
  expect(lamps.every((lamp) => lamp.dataset["state"] === "working")).toBe(true);
  expect(screen.queryByRole("img", { name: "All is well" })).toBeNull();
});

test("a page that is loaded anew while the box proves itself is where it was", async () => {
  open(PAGE, { update: "proving" });
  expect(await currentStep()).toHaveTextContent("Proving");
  expect(screen.getByText(/Within five minutes it shows/)).toBeInTheDocument();
});

test("a version that came back says why, on the card and in the history", async () => {
  open(PAGE, { update: "rolled_back" });
  expect(await screen.findByText("The new version did not stay")).toBeInTheDocument();
  await waitFor(() => expect(screen.getAllByText(/answered much more slowly/)).toHaveLength(2));
  expect(screen.getByText("came back")).toBeInTheDocument();
  expect(screen.getByText("21.4 of 42.0 tokens a second").closest("details")).not.toBeNull();
  expect(
    i18next.t("The model answered much more slowly in the new version.", {
      lng: "de",
      ns: "box",
      keySeparator: false,
      nsSeparator: false,
    }),
  ).toBe("Das Modell hat in der neuen Version viel langsamer geantwortet.");
});

test("an update is put off for a week, and let come again", async () => {
  const user = userEvent.setup();
  open(PAGE, { update: "installed" });
  await user.click(await screen.findByRole("button", { name: "Not for a week" }));
  expect(await screen.findByText(/Nothing happens by itself before/)).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Let it come" }));
  expect(await screen.findByText(/restarts into it by itself/)).toBeInTheDocument();
});

test("hour, channel and version to stay with are the household's to choose", async () => {
  const user = userEvent.setup();
  const { api } = visit(PAGE);
  await user.selectOptions(await screen.findByLabelText("Restart at this hour"), "05:00");
  await waitFor(async () => expect((await api.getUpdates()).hour).toBe(5));
  await user.selectOptions(screen.getByLabelText("Which updates"), "New ones first, less tested");
  await waitFor(async () => expect((await api.getUpdates()).channel).toBe("beta"));
  await user.click(screen.getByLabelText("Stay with version 0.2.0"));
  await waitFor(async () => expect((await api.getUpdates()).pinned_version).toBe("0.2.0"));
  await user.click(screen.getByLabelText("Update by itself at night"));
  await waitFor(() => expect(screen.getByLabelText("Restart at this hour")).toBeDisabled());
});

test("going back asks first and says what is lost", async () => {
  const user = userEvent.setup();
  const goBack = vi.fn<AlleracApi["goBackToVersionBefore"]>();
  open(PAGE, {}, (api) => ({
    goBackToVersionBefore: goBack.mockImplementation(() => api.goBackToVersionBefore()),
  }));
  await user.click(await screen.findByRole("button", { name: "Go back to 0.1.0" }));
  expect(screen.getByText(/nothing else is lost/)).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Cancel" }));
  expect(goBack).not.toHaveBeenCalled();
  await user.click(screen.getByRole("button", { name: "Go back to 0.1.0" }));
  await user.click(screen.getByRole("button", { name: "Restart and go back" }));
  expect(await screen.findByText("Version 0.1.0 runs")).toBeInTheDocument();
  expect(screen.queryByText("Downloading")).toBeNull();
});

test("without a version before there is no way back to offer", async () => {
  open(PAGE, {}, playing({ other_version: null }));
  await screen.findByText("The box is up to date");
  expect(screen.queryByRole("heading", { name: "The version before" })).toBeNull();
});

test("a file on a drive is offered and installed by its name", async () => {
  const user = userEvent.setup();
  const install = vi.fn<AlleracApi["installFromDrive"]>();
  open(PAGE, {}, (api) => ({
    listDriveBundles: () =>
      Promise.resolve({ items: [{ name: "stick/a.raucb", size_bytes: 4e8 }] }),
    installFromDrive: install.mockImplementation((body) => api.installFromDrive(body)),
  }));
  await user.click(await screen.findByRole("button", { name: "Install this file" }));
  expect(install).toHaveBeenCalledWith({ name: "stick/a.raucb" });
  expect(await screen.findByText("Version 0.3.0 is on its way")).toBeInTheDocument();
});

test("a machine with one system says how it is updated, and offers nothing", async () => {
  open(PAGE, {}, playing({ supported: false }));
  expect(await screen.findByText(/updated the way it was installed/)).toBeInTheDocument();
  expect(screen.queryByRole("button", { name: "Look for updates" })).toBeNull();
});

test("who may not change the box does not come here, and asks for nothing", async () => {
  const ask = vi.fn<AlleracApi["getUpdates"]>();
  const { router } = visit(PAGE, {}, (api) => ({
    getSession: async () => {
      const session = await api.getSession();
      return { ...session, person: { ...session.person, role: "member" } };
    },
    getUpdates: ask,
  }));
  await screen.findByText("All is well");
  expect(router.state.location.pathname).toBe("/box");
  expect(ask).not.toHaveBeenCalled();
});

test("the box's page tells where the update is and leads to it", async () => {
  const user = userEvent.setup();
  open("/box", { update: "available" });
  expect(await screen.findByText("Version 0.3.0 is there")).toBeInTheDocument();
  await user.click(screen.getByRole("link", { name: "See updates" }));
  expect(await screen.findByRole("button", { name: "Install now" })).toBeInTheDocument();
});
