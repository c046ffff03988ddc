import { act, screen } from "@testing-library/react";
import userEvent, { type UserEvent } from "@testing-library/user-event";
import type { AlleracApi } from "@/api/allerac-api";
import { MOCK_CLAIM_CODE, MOCK_RECOVERY_CODE } from "@/api/mock/scenario";
import { ApiError } from "@/api/problem";
import { open, refusal, refusedOnce, visit } from "./page";

const unclaimed = { claimed: false, signedIn: false };
const next = () => screen.getByRole("button", { name: "Next" });
/** The claim code's field; its label holds what is drawn in the boxes too. */
const filled = () => screen.findByRole("textbox", { name: "Code on the label" });
const question = (name: string) => screen.findByRole("heading", { name });

type Replies = (api: AlleracApi) => Partial<AlleracApi>;

async function claimStep(user: UserEvent, replies?: Replies): Promise<HTMLElement> {
  open("/", unclaimed, replies);
  await user.click(await screen.findByRole("button", { name: /English/ }));
  return screen.findByLabelText("Code on the label");
}

async function ownerStep(user: UserEvent, replies?: Replies): Promise<void> {
  await user.type(await claimStep(user, replies), MOCK_CLAIM_CODE);
  await user.click(next());
  await question("Who are you?");
}

async function recoveryStep(user: UserEvent, replies?: Replies): Promise<void> {
  await ownerStep(user, replies);
  await user.type(screen.getByLabelText("Your name"), "Ana");
  await user.type(screen.getByLabelText("Password"), "three quiet lanterns at sea");
  await user.click(next());
  await question("Your recovery code");
}

async function boxStep(user: UserEvent, replies?: Replies): Promise<void> {
  await recoveryStep(user, replies);
  await user.click(screen.getByRole("checkbox"));
  await user.click(next());
  await question("Give it a name");
}

async function modelStep(user: UserEvent, replies?: Replies): Promise<void> {
  await boxStep(user, replies);
  await user.click(next());
  await screen.findByRole("radio", { name: /Demonstration/ });
}

async function readyStep(user: UserEvent, replies?: Replies): Promise<void> {
  await modelStep(user, replies);
  await user.click(next());
  await question("Quiet hours and privacy");
  await user.click(next());
  await question("Ready");
}

test("a wrong code says how many tries are left, and one is said as one", async () => {
  const user = userEvent.setup();
  const code = await claimStep(user);
  for (const left of ["4 tries left", "3 tries left", "2 tries left", "1 try left"]) {
    await user.clear(code);
    await user.type(code, "AAAAAAAA");
    await user.click(next());
    expect(await screen.findByText(new RegExp(left))).toBeInTheDocument();
  }
});

test("a locked wizard says what to do, and takes nobody further", async () => {
  const user = userEvent.setup();
  const locked = { code: "too_many_attempts", message: "Locked.", hint: "Unplug the box." };
  const code = await claimStep(user, () => ({ verifyClaimCode: refusal(429, locked) }));
  await user.type(code, MOCK_CLAIM_CODE);
  await user.click(next());
  expect(await screen.findByRole("alert")).toHaveTextContent("Locked.Unplug the box.");
  expect(screen.getByRole("heading", { name: "Prove that it is yours" })).toBeInTheDocument();
});

test("a code is taken as people write it: small letters, hyphen, spaces", async () => {
  const user = userEvent.setup();
  const code = await claimStep(user);
  await user.type(code, "k7qm-4x wp");
  expect(code).toHaveValue("K7QM4XWP");
});

test.each(["/#code=K7QM4XWP&key=0a1b2c", "/#code=K7QM4XWP"])(
  "a scanned code is filled in, and %s shows it no more",
  async (link) => {
    const user = userEvent.setup();
    const sent = vi.fn();
    const { router } = visit(link, unclaimed, (api) => ({
      verifyClaimCode: (body) => {
        sent(body);
        return api.verifyClaimCode(body);
      },
    }));
    await user.click(await screen.findByRole("button", { name: /English/ }));
    expect(await filled()).toHaveValue(MOCK_CLAIM_CODE);
    expect(screen.getByText(/Filled in from what you scanned/)).toBeInTheDocument();
    expect(router.state.location).toMatchObject({ pathname: "/", search: "", hash: "" });
    expect(sent).not.toHaveBeenCalled();
    expect(localStorage).toHaveLength(0);
    expect(sessionStorage).toHaveLength(0);
    await user.click(next());
    await question("Who are you?");
    expect(sent).toHaveBeenCalledExactlyOnceWith({ code: MOCK_CLAIM_CODE });
  },
);

test("a scanned code leaves the address before the box has answered anything", () => {
  const { router } = visit("/#code=K7QM4XWP&key=0a1b2c", unclaimed, () => ({
    getStatus: () => new Promise(() => undefined),
  }));
  expect(router.state.location.hash).toBe("");
});

test("there is no way back to a scanned code", async () => {
  const { router } = visit("/#code=K7QM4XWP&key=0a1b2c", unclaimed);
  await screen.findByRole("button", { name: /English/ });
  await act(() => router.navigate(-1));
  expect(router.state.location.hash).toBe("");
});

test("a scanned code can be changed, and is then no longer said to be the label's", async () => {
  const user = userEvent.setup();
  open("/#code=AAAAAAAA&key=0a1b2c", unclaimed);
  await user.click(await screen.findByRole("button", { name: /English/ }));
  const code = await filled();
  await user.clear(code);
  expect(screen.queryByText(/Filled in from what you scanned/)).not.toBeInTheDocument();
  await user.type(code, MOCK_CLAIM_CODE);
  await user.click(next());
  await question("Who are you?");
});

test("a code scanned while the wizard is open takes the place of what was typed", async () => {
  const user = userEvent.setup();
  const { router } = visit("/", unclaimed);
  await user.click(await screen.findByRole("button", { name: /English/ }));
  await user.type(await filled(), "AB");
  await act(() => router.navigate("/#code=k7qm-4xwp&key=0a1b2c"));
  expect(await filled()).toHaveValue(MOCK_CLAIM_CODE);
  expect(router.state.location.hash).toBe("");
});

test.each(["/#code=K7QM", "/#code=", "/#key=0a1b2c"])(
  "a torn link, %s, leaves the code to be typed",
  async (link) => {
    const user = userEvent.setup();
    open(link, unclaimed);
    await user.click(await screen.findByRole("button", { name: /English/ }));
    expect(await filled()).toHaveValue("");
    expect(screen.queryByText(/Filled in from what you scanned/)).not.toBeInTheDocument();
  },
);

test("a label scanned after the claim leaves its code in no address either", async () => {
  const { router } = visit("/#code=K7QM4XWP&key=0a1b2c");
  await screen.findByRole("heading", { name: /Ana/ });
  expect(router.state.location).toMatchObject({ pathname: "/chat", hash: "" });
});

test("a password that is easy to guess is refused at its field", async () => {
  const user = userEvent.setup();
  await ownerStep(user);
  await user.type(screen.getByLabelText("Your name"), "Ana");
  await user.type(screen.getByLabelText("Password"), "12345678");
  await user.click(next());
  expect(await screen.findByRole("alert")).toHaveTextContent("three or four words");
  expect(screen.getByLabelText("Password")).toBeInvalid();
});

test("nobody goes on without having kept the recovery code", async () => {
  const user = userEvent.setup();
  await recoveryStep(user);
  expect(screen.getByLabelText("Recovery code")).toHaveTextContent(MOCK_RECOVERY_CODE);
  expect(next()).toBeDisabled();
  await user.click(screen.getByRole("button", { name: "Copy" }));
  expect(await navigator.clipboard.readText()).toBe(MOCK_RECOVERY_CODE);
  await user.click(screen.getByRole("checkbox"));
  expect(next()).toBeEnabled();
});

test("each question is read from its head", async () => {
  const user = userEvent.setup();
  await ownerStep(user);
  expect(await question("Who are you?")).toHaveFocus();
});

test("the box's name is shown as it will be found", async () => {
  const user = userEvent.setup();
  await boxStep(user);
  await user.clear(screen.getByLabelText("Name of the box"));
  await user.type(screen.getByLabelText("Name of the box"), "Ana's Große Küche!");
  expect(screen.getByText("anas-grosse-kuche.local")).toBeInTheDocument();
});

test("a refused name stays in its field with the reason", async () => {
  const user = userEvent.setup();
  const fields = { name: "This name is taken in your network." };
  await boxStep(user, () => ({
    setOnboardingBox: refusal(422, { code: "invalid_input", message: "No.", fields }),
  }));
  await user.click(next());
  expect(await screen.findByRole("alert")).toHaveTextContent("taken in your network");
});

test("the recommended model is chosen first, and going on downloads it", async () => {
  const user = userEvent.setup();
  const chosen = vi.fn();
  await modelStep(user, (api) => ({
    setOnboardingModel: (body) => {
      chosen(body);
      return api.setOnboardingModel(body);
    },
  }));
  expect(screen.getByRole("radio", { name: /Qwen 3, 4 B/ })).toBeChecked();
  await user.click(next());
  await question("Quiet hours and privacy");
  expect(chosen).toHaveBeenCalledWith({
    model_id: "qwen3-4b-instruct-2507-q4_k_m",
    download: true,
  });
});

test("what is fetched with the chosen model is said before, and listed at the end", async () => {
  const user = userEvent.setup();
  await modelStep(user);
  expect(screen.getByText(/^Nomic Embed 1\.5 \(146 MB\) comes with it/)).toBeVisible();
  await user.click(screen.getByRole("radio", { name: /Demonstration/ }));
  expect(screen.queryByText(/comes with it/)).toBeNull();
  await user.click(screen.getByRole("radio", { name: /Qwen 3, 4 B/ }));
  await user.click(next());
  await question("Quiet hours and privacy");
  await user.click(next());
  await question("Ready");
  const items = await screen.findAllByRole("listitem");
  const fetched = items.map((item) => item.textContent);
  expect(fetched).toEqual(
    expect.arrayContaining(["Qwen 3, 4 B (2.5 GB)", "Nomic Embed 1.5 (146 MB)"]),
  );
});

test("whoever decides later starts with what is on board", async () => {
  const user = userEvent.setup();
  const chosen = vi.fn();
  await modelStep(user, (api) => ({
    setOnboardingModel: (body) => {
      chosen(body);
      return api.setOnboardingModel(body);
    },
  }));
  await user.click(screen.getByRole("button", { name: "Decide later" }));
  await question("Quiet hours and privacy");
  expect(chosen).toHaveBeenCalledWith({ model_id: "demo", download: false });
});

test("a model without room on the disk is refused in words, and another can be chosen", async () => {
  const user = userEvent.setup();
  const full = new ApiError(507, {
    code: "insufficient_disk",
    message: "The model needs 2.5 GB; 1.1 GB are free.",
  });
  await modelStep(user, (api) => ({
    setOnboardingModel: refusedOnce((body) => api.setOnboardingModel(body), full),
  }));
  await user.click(next());
  expect(await screen.findByRole("alert")).toHaveTextContent("1.1 GB are free");
  await user.click(screen.getByRole("radio", { name: /Demonstration/ }));
  await user.click(next());
  expect(await question("Quiet hours and privacy")).toBeInTheDocument();
});

test("without updates by night there is no hour to choose", async () => {
  const user = userEvent.setup();
  await modelStep(user);
  await user.click(next());
  await question("Quiet hours and privacy");
  await user.click(screen.getByRole("checkbox"));
  expect(screen.getByLabelText("At this hour")).toBeDisabled();
});

test("going back keeps what was answered", async () => {
  const user = userEvent.setup();
  await boxStep(user);
  await user.click(screen.getByRole("button", { name: "Back" }));
  await question("Who are you?");
  expect(screen.getByLabelText("Your name")).toHaveValue("Ana");
  await user.click(screen.getByRole("button", { name: "Go on as Ana" }));
  expect(await question("Give it a name")).toBeInTheDocument();
});

test("the wizard goes on where the box says that it stands", async () => {
  open("/", unclaimed, (api) => ({
    getOnboarding: async () => ({ ...(await api.getOnboarding()), step: "privacy" }),
  }));
  expect(await question("Quiet hours and privacy")).toBeInTheDocument();
});

test("a lost connection at the last step can be tried again", async () => {
  const user = userEvent.setup();
  await readyStep(user, (api) => ({
    finishOnboarding: refusedOnce(() => api.finishOnboarding(), ApiError.offline()),
  }));
  await user.click(screen.getByRole("button", { name: "Make it mine" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("cannot be reached");
  await user.click(screen.getByRole("button", { name: "Make it mine" }));
  expect(await question("It is yours")).toBeInTheDocument();
  expect(screen.getByRole("img", { name: /QR code/ })).toBeInTheDocument();
});

test("the last look names everything that was chosen", async () => {
  const user = userEvent.setup();
  await readyStep(user);
  for (const text of ["Ana", "Kitchen", "kitchen.local", "Qwen 3, 4 B", "by itself, at 03:00"]) {
    expect(screen.getByText(text)).toBeInTheDocument();
  }
});

test("whoever comes second is told so and led to the sign-in", async () => {
  const user = userEvent.setup();
  const gone = { code: "gone", message: "This box has its owner." };
  await readyStep(user, () => ({ finishOnboarding: refusal(410, gone) }));
  await user.click(screen.getByRole("button", { name: "Make it mine" }));
  expect(await question("Somebody was quicker")).toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Sign in" })).toBeInTheDocument();
});
