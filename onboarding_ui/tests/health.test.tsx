import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { vi } from "vitest";
import { open, refusal } from "./page";

const PAGE = "/box/health";

test("a box in good health says so, on its page and at home", async () => {
  open(PAGE);
  expect(await screen.findByRole("heading", { name: "All is well." })).toBeInTheDocument();
  open("/box");
  expect(await screen.findByRole("link", { name: "See health" })).toBeInTheDocument();
});

test("the home card names the one thing to do, the worst first", async () => {
  open("/box", { health: "full" });
  expect(await screen.findByText("The disk is nearly full.")).toBeInTheDocument();
  expect(screen.queryByText("The box is hot.")).toBeNull();
  expect(screen.getAllByRole("img", { name: "Something is wrong" })).not.toHaveLength(0);
});

test("an issue says what, since when, what it means and what to do", async () => {
  open(PAGE, { health: "hot" });
  expect(await screen.findByRole("heading", { name: "The box is hot." })).toBeInTheDocument();
  expect(screen.getByText(/Its processor has 91 degrees/)).toBeInTheDocument();
  expect(screen.getByText(/Give it air/)).toBeInTheDocument();
  expect(screen.getByText("To do")).toBeInTheDocument();
  const itself = screen.getByRole("heading", { name: "What the box does about it" }).parentElement;
  expect(within(itself as HTMLElement).getByText(/^Allerac works more slowly/)).toBeInTheDocument();
});

test("an issue speaks German on a German page", async () => {
  await i18next.changeLanguage("de");
  open(PAGE, { health: "hot", language: "de" });
  expect(await screen.findByRole("heading", { name: "Die Box ist heiß." })).toBeInTheDocument();
});

test("one click does what the box offers, and the issue goes", async () => {
  open(PAGE, { health: "full" });
  await userEvent.click(await screen.findByRole("button", { name: "Remove unfinished downloads" }));
  const title = { name: "The disk is nearly full." };
  await waitFor(() => expect(screen.queryByRole("heading", title)).toBeNull());
});

test("what a fix could not do is said on its card", async () => {
  open(PAGE, { health: "full" }, () => ({
    fixIssue: refusal(409, { message: "The box cannot do this by itself.", hint: "" }),
  }));
  await userEvent.click(await screen.findByRole("button", { name: "Remove unfinished downloads" }));
  expect(await screen.findByText("The box cannot do this by itself.")).toBeInTheDocument();
});

test("each chart says in a sentence what it shows", async () => {
  open(PAGE);
  const chart = await screen.findByRole("img", { name: /^Temperature: now \d+/ });
  expect(chart).toHaveAccessibleName(/lowest .* highest/);
  expect(chart.querySelector("path")?.getAttribute("d")).toMatch(/^M0\.0/);
});

test("a value that is missing breaks the line instead of being drawn as zero", async () => {
  open(PAGE, {}, () => ({
    getHealthHistory: (period) =>
      Promise.resolve({
        period,
        step_seconds: 20,
        at: [0, 1, 2, 3].map((second) => new Date(second * 1000).toISOString()),
        figures: { temperature_celsius: [50, null, 60, 61] },
        events: [],
      }),
  }));
  const chart = await screen.findByRole("img", { name: /^Temperature/ });
  expect(chart.querySelector("path")?.getAttribute("d")?.match(/M/g)).toHaveLength(2);
});

test("what happened is drawn on the charts and told beside them", async () => {
  open(PAGE, { health: "hot" });
  const chart = await screen.findByRole("img", { name: /^Temperature/ });
  expect(chart.querySelectorAll("line")).toHaveLength(1);
  const band = chart.querySelector("rect");
  expect(Number(band?.getAttribute("x")) + Number(band?.getAttribute("width"))).toBeCloseTo(600);
  const list = screen.getByRole("heading", { name: "What happened in this time" }).parentElement;
  const told = within(list as HTMLElement);
  expect(told.getByText("The box is hot.")).toBeInTheDocument();
  expect(told.getByText(/^Allerac works more slowly/)).toBeInTheDocument();
  expect(told.getAllByText(/^Since/)).toHaveLength(2);
});

test("what is over has its place in the month, and none in the hour", async () => {
  open(PAGE);
  const chart = await screen.findByRole("img", { name: /^Temperature/ });
  expect(chart.querySelectorAll("line")).toHaveLength(0);
  expect(screen.queryByRole("heading", { name: "What happened in this time" })).toBeNull();
  await userEvent.click(await screen.findByRole("radio", { name: "Last month" }));
  await screen.findByRole("heading", { name: "What happened in this time" });
  const month = screen.getByRole("img", { name: /^Temperature/ });
  const place = Number(month.querySelector("line")?.getAttribute("x1"));
  expect(place / 600).toBeCloseTo(27 / 30, 1);
});

test("an issue that ends stands among what was, without a reload", async () => {
  const api = open(PAGE, { health: "full" });
  const asked = vi.spyOn(api, "listPastIssues");
  const fix = await screen.findByRole("button", { name: "Remove unfinished downloads" });
  await waitFor(() => expect(asked).toHaveBeenCalled());
  asked.mockClear();
  await userEvent.click(fix);
  await waitFor(() => expect(asked).toHaveBeenCalledOnce());
});

test("another span of time is asked of the box", async () => {
  const api = open(PAGE);
  const asked = vi.spyOn(api, "getHealthHistory");
  await userEvent.click(await screen.findByRole("radio", { name: "Last month" }));
  await waitFor(() => expect(asked).toHaveBeenCalledWith("month"));
});

test("mail alerts are chosen, kept and tested; the password is not sent back", async () => {
  const api = open(PAGE);
  const sent = vi.spyOn(api, "changeAlerts");
  await userEvent.click(await screen.findByRole("checkbox", { name: "By mail" }));
  await userEvent.type(screen.getByLabelText("To"), "ana@example.com");
  await userEvent.type(screen.getByRole("textbox", { name: "From" }), "box@example.com");
  await userEvent.type(screen.getByLabelText("Mail server"), "mail.example.com");
  await userEvent.type(screen.getByLabelText("Password"), "quiet lantern");
  await userEvent.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByText("Saved.")).toBeInTheDocument();
  expect(sent.mock.calls[0]?.[0].mail?.recipients).toEqual([
    { address: "ana@example.com", language: null },
  ]);
  expect(screen.getByLabelText("Password")).toHaveValue("");
  await userEvent.click(screen.getByRole("button", { name: "Send a test" }));
  expect(await screen.findByText("The test is on its way.")).toBeInTheDocument();
});

test("each recipient is told in a language of their own, whoever saves it", async () => {
  const api = open(PAGE);
  const sent = vi.spyOn(api, "changeAlerts");
  await userEvent.click(await screen.findByRole("checkbox", { name: "By mail" }));
  await userEvent.type(screen.getByLabelText("To"), "gone@example.com");
  await userEvent.click(screen.getByRole("button", { name: "Tell somebody else too" }));
  const [first, second] = screen.getAllByLabelText("To");
  await userEvent.type(second as HTMLElement, "ben@example.com");
  const spoken = screen.getAllByLabelText("Language")[1] as HTMLElement;
  await userEvent.selectOptions(spoken, "Deutsch");
  await userEvent.click(screen.getByRole("button", { name: "Remove gone@example.com" }));
  expect(first).toHaveValue("ben@example.com");
  await userEvent.type(screen.getByRole("textbox", { name: "From" }), "box@example.com");
  await userEvent.type(screen.getByLabelText("Mail server"), "mail.example.com");
  await userEvent.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByText("Saved.")).toBeInTheDocument();
  const kept = [{ address: "ben@example.com", language: "de" }];
  expect(sent.mock.calls[0]?.[0].mail?.recipients).toEqual(kept);
  expect(screen.getByLabelText("Language")).toHaveValue("de");
});

test("past issues tell when they were", async () => {
  open(PAGE);
  const card = (await screen.findByRole("heading", { name: "What was" })).closest("section");
  expect(
    await within(card as HTMLElement).findByText("The network cable has a loose contact."),
  ).toBeInTheDocument();
});

test("the home card draws the last day of four figures, and says each in a sentence", async () => {
  const api = open("/box");
  const asked = vi.spyOn(api, "getHealthHistory");
  const warmth = await screen.findByRole("img", { name: /^Last day\. Temperature: now \d+/ });
  expect(asked.mock.calls.map(([period]) => period)).not.toContain("hour");
  const names = screen
    .getAllByRole("img", { name: /^Last day/ })
    .map((drawn) => drawn.getAttribute("aria-label"));
  expect(names).toEqual(
    ["Temperature", "Memory left", "Disk left", "Words a second"].map(
      (name) => expect.stringContaining(name) as string,
    ),
  );
  expect(warmth).toHaveAccessibleName(/lowest .* highest/);
  expect(warmth.querySelector("path")?.getAttribute("d")).toMatch(/^M0\.0/);
  const speed = screen.getByRole("img", { name: /^Last day\. Words a second: now \d+/ });
  const pieces = speed.querySelector("path")?.getAttribute("d")?.match(/M/g);
  expect(pieces).toHaveLength(4); // nobody asked in between
});

test.each([
  ["nothing was measured", { temperature_celsius: [null, null], tokens_per_second: [null] }],
  ["the machine has no such sensor", {}],
  ["one moment was measured", { temperature_celsius: [null, 51, null] }],
])("the home card draws nothing when %s", async (_, figures) => {
  open("/box", {}, (api) => ({
    getHealthHistory: async (period) => ({ ...(await api.getHealthHistory(period)), figures }),
  }));
  expect(await screen.findByRole("link", { name: "See health" })).toBeInTheDocument();
  expect(screen.queryByRole("img", { name: /^Last day/ })).toBeNull();
});

test("without its history the home card still says how the box is", async () => {
  open("/box", {}, () => ({ getHealthHistory: refusal(503, { message: "Not now.", hint: "" }) }));
  expect(await screen.findByText("All is well.")).toBeInTheDocument();
  expect(screen.queryByRole("img", { name: /^Last day/ })).toBeNull();
});
