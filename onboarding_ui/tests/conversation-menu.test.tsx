import { screen, waitFor, within } from "@testing-library/react";
import userEvent, { type UserEvent } from "@testing-library/user-event";
import { open, refusal } from "./page";

const BREAD = "A loaf for a slow morning";
const full = refusal(507, {
  code: "storage_full",
  message: "The disk is full.",
  hint: "Delete something.",
});

beforeEach(() => localStorage.clear());
afterEach(() => vi.restoreAllMocks());

async function choose(user: UserEvent, action: string): Promise<void> {
  await user.click(await screen.findByRole("button", { name: `Actions for ${BREAD}` }));
  await user.click(await screen.findByRole("menuitem", { name: action }));
}

/** The group of the list in which the conversation stands. */
function group(): string | null | undefined {
  const section = screen.getByRole("link", { name: new RegExp(BREAD) }).closest("section");
  return section && within(section).getByRole("heading").textContent;
}

test("a pinned conversation stands above the others, says so, and is let go again", async () => {
  const user = userEvent.setup();
  open("/chat");
  await choose(user, "Pin");
  await waitFor(() => expect(group()).toBe("Pinned"));
  expect(screen.getByRole("link", { name: new RegExp(`^Pinned *${BREAD}$`) })).toBeVisible();
  await choose(user, "Unpin");
  await waitFor(() => expect(group()).not.toBe("Pinned"));
});

test("an archived conversation leaves the list, is found among the archived and comes back", async () => {
  const user = userEvent.setup();
  open("/chat");
  await choose(user, "Archive");
  const rows = (): HTMLElement[] => screen.queryAllByRole("link", { name: new RegExp(BREAD) });
  await waitFor(() => expect(rows()).toHaveLength(0));
  await user.click(screen.getByRole("checkbox", { name: "Show archived" }));
  await waitFor(() => expect(rows()).toHaveLength(1));
  expect(screen.queryByText("A beehive on the roof")).not.toBeInTheDocument();
  await choose(user, "Bring back");
  await waitFor(() => expect(rows()).toHaveLength(0));
  await user.click(screen.getByRole("checkbox", { name: "Show archived" }));
  await waitFor(() => expect(rows()).toHaveLength(1));
});

test.each([
  ["Save as Markdown", "md", "between **12 and 18 hours**"],
  ["Save as JSON", "json", '"title": "a loaf'],
])("%s gives a file with the conversation in it", async (action, suffix, content) => {
  const user = userEvent.setup();
  open("/chat");
  const made = vi.spyOn(URL, "createObjectURL");
  const given: { name: string; address: string }[] = [];
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (
    this: HTMLAnchorElement,
  ) {
    given.push({ name: this.download, address: this.href });
  });
  await choose(user, action);
  await waitFor(() => expect(given).toHaveLength(1));
  expect(given[0]?.name).toBe(`${BREAD}.${suffix}`);
  expect(made).toHaveReturnedWith(given[0]?.address);
  const [file] = made.mock.calls[0] ?? [];
  if (!(file instanceof Blob)) throw new Error("no file was made");
  expect((await file.text()).toLowerCase()).toContain(content);
});

test.each([
  ["Pin", { updateConversation: full }],
  ["Archive", { updateConversation: full }],
  ["Save as JSON", { exportConversation: full }],
  ["Delete", { deleteConversation: full }],
])("%s that is refused says why and changes nothing", async (action, replies) => {
  const user = userEvent.setup();
  open("/chat", {}, () => replies);
  await screen.findByRole("link", { name: new RegExp(BREAD) });
  const before = group();
  await choose(user, action);
  expect(await screen.findByText("The disk is full. Delete something.")).toBeVisible();
  expect(group()).toBe(before);
});
