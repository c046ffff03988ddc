import { screen, waitFor, within } from "@testing-library/react";
import userEvent, { type UserEvent } from "@testing-library/user-event";
import type { AlleracApi } from "@/api/allerac-api";
import type { TryAssistant } from "@/api/library-types";
import { refusal, visit } from "./page";
// Read before the first wait begins, however slow the machine is.
import "@/pages/library";
import "@/pages/knowledge/sources";
import "@/components/markdown-rendered";

beforeEach(() => localStorage.clear());

/** Opens the editor of the one assistant; what is asked in the trial is written down. */
async function edit(
  user: UserEvent,
  replies: (api: AlleracApi) => Partial<AlleracApi> = () => ({}),
) {
  const asked: TryAssistant[] = [];
  const signals: AbortSignal[] = [];
  const kept = vi.fn();
  visit("/library/assistants", {}, (api) => {
    const chosen = { ...api, ...replies(api) };
    return {
      ...replies(api),
      createConversation: kept,
      sendMessage: kept,
      updateAssistant: kept,
      streamTrial: (body, signal) => {
        asked.push(body);
        signals.push(signal);
        return chosen.streamTrial(body, signal);
      },
    };
  });
  await user.click(await screen.findByRole("button", { name: "Edit" }));
  expect(await screen.findByRole("heading", { name: "Try it" })).toBeVisible();
  return { asked, signals, kept };
}

const message = (): HTMLElement => screen.getByRole("textbox", { name: "Message" });
const talk = () => within(screen.getByRole("list", { name: "Trial" }));

test("it answers by what stands in the editor, and none of it is saved or sent elsewhere", async () => {
  const user = userEvent.setup();
  const { asked, kept } = await edit(user);
  await user.type(screen.getByRole("textbox", { name: "Instructions" }), "Be a pirate.");
  await user.type(message(), "Where is the gold?{Enter}");
  expect(await talk().findByText(/You asked “Where is the gold\?”/)).toBeVisible();
  expect(talk().getByText(/I was told: “Be a pirate\.”/)).toBeVisible();
  expect(asked).toEqual([
    expect.objectContaining({
      instructions: "Be a pirate.",
      uses_knowledge: true,
      is_narrowed: false,
      turns: [{ role: "user", content: "Where is the gold?" }],
    }),
  ]);
  expect(kept).not.toHaveBeenCalled();
  expect(localStorage).toHaveLength(0);
});

test("the next question goes with the talk, by what the editor says then", async () => {
  const user = userEvent.setup();
  const { asked } = await edit(user);
  await user.type(message(), "First{Enter}");
  const answer = await talk().findByText(/You asked “First”/);
  await waitFor(() => expect(screen.getByRole("button", { name: "Send" })).toBeVisible());
  await user.click(screen.getByRole("checkbox", { name: "Look into documents" }));
  await user.type(message(), "Second{Enter}");
  await talk().findByText(/You asked “Second”/);
  const [question, reply, next] = asked[1]?.turns ?? [];
  expect(question).toEqual({ role: "user", content: "First" });
  expect(reply?.role).toBe("assistant");
  expect(answer).toHaveTextContent("You asked “First”");
  expect(reply?.content).toContain("You asked “First”");
  expect(next).toEqual({ role: "user", content: "Second" });
  expect(asked[1]?.uses_knowledge).toBe(false);
});

test("a number in the answer opens the passage", async () => {
  const user = userEvent.setup();
  await edit(user);
  await user.type(message(), "The boiler?{Enter}");
  await user.click(await talk().findByRole("button", { name: "Source 1: House rules.pdf" }));
  const sheet = await screen.findByRole("dialog", { name: "House rules.pdf" });
  expect(within(sheet).getByText(/The boiler code is 4711/)).toBeVisible();
  expect(talk().queryByRole("button", { name: "How it was found" })).toBeNull();
});

test("a starter begins it, and it begins again", async () => {
  const user = userEvent.setup();
  await edit(user);
  await user.click(screen.getByRole("button", { name: "Who repairs the boiler?" }));
  expect(await talk().findByText(/You asked “Who repairs the boiler\?”/)).toBeVisible();
  expect(screen.queryByRole("button", { name: "Who repairs the boiler?" })).toBeNull();
  await user.click(screen.getByRole("button", { name: "Begin again" }));
  expect(screen.queryByText(/You asked/)).toBeNull();
  expect(screen.getByRole("button", { name: "Who repairs the boiler?" })).toBeVisible();
});

test("what went wrong is said, and what has no answer is not asked again", async () => {
  const user = userEvent.setup();
  const { asked } = await edit(user);
  await user.type(message(), "break{Enter}");
  expect(await screen.findByText(/The model stopped working/)).toBeVisible();
  await user.type(message(), "Second{Enter}");
  await talk().findByText(/You asked “Second”/);
  expect(asked[1]?.turns).toEqual([{ role: "user", content: "Second" }]);
});

test("a refusal is said in the box's words", async () => {
  const user = userEvent.setup();
  const problem = { code: "queue_full", message: "Several of your answers are still being made." };
  await edit(user, () => ({
    // eslint-disable-next-line require-yield -- it refuses before it tells anything
    streamTrial: async function* () {
      await refusal(429, problem)();
    },
  }));
  await user.type(message(), "Hello{Enter}");
  expect(await screen.findByText(/Several of your answers/)).toBeVisible();
  expect(screen.getByRole("button", { name: "Send" })).toBeVisible();
});

test("it can be stopped, and leaving the editor stops it too", async () => {
  const user = userEvent.setup();
  const { signals } = await edit(user, () => ({
    streamTrial: async function* (_, signal) {
      yield { type: "delta", text: "The beginning " };
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      yield { type: "delta", text: "and more" };
    },
  }));
  await user.type(message(), "Hello{Enter}");
  expect(await talk().findByText("The beginning")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Stop" }));
  expect(signals[0]?.aborted).toBe(true);
  expect(screen.getByRole("button", { name: "Send" })).toBeVisible();
  expect(screen.queryByText(/and more/)).toBeNull();
  await user.type(message(), "Hello{Enter}");
  await screen.findByRole("button", { name: "Stop" });
  await user.click(screen.getByRole("button", { name: "Cancel" }));
  expect(signals[1]?.aborted).toBe(true);
});
