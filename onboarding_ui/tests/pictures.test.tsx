import { screen, waitFor, within } from "@testing-library/react";
import userEvent, { type UserEvent } from "@testing-library/user-event";
import { ApiError } from "@/api/problem";
import { open, visit } from "./page";
// Read before the first wait begins, however slow the machine is.
import "@/pages/chat/pictures";

beforeEach(() => localStorage.clear());

const photo = (name: string): File => new File([name], name, { type: "image/jpeg" });

async function choose(user: UserEvent, ...names: string[]): Promise<void> {
  const picker = await screen.findByLabelText("Add pictures", { selector: "input" });
  await user.upload(picker, names.map(photo));
}

const chosen = () => screen.findByRole("list", { name: "Pictures of this message" });
const sent = () => screen.findByRole("list", { name: "Pictures" });

test("several pictures are chosen, one is left out, and it is said that no model sees them", async () => {
  const user = userEvent.setup();
  open("/chat");
  await choose(user, "one.jpg", "two.jpg");
  expect(within(await chosen()).getAllByRole("img")).toHaveLength(2);
  expect(screen.getByText(/The model cannot see pictures/)).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Leave out picture 1" }));
  expect(within(await chosen()).getAllByRole("img")).toHaveLength(1);
  await user.click(screen.getByRole("button", { name: "Leave out picture 1" }));
  expect(screen.queryByText(/The model cannot see pictures/)).toBeNull();
});

test("pictures without words say what is missing, and go once it is written", async () => {
  const user = userEvent.setup();
  open("/chat");
  const message = await screen.findByRole("textbox", { name: "Message" });
  expect(message).not.toHaveAccessibleDescription();
  await choose(user, "garden.jpg");
  expect(screen.getByText(/Write a few words as well/)).toBeVisible();
  expect(message).toHaveAccessibleDescription(/Write a few words as well/);
  expect(screen.getByRole("button", { name: "Send" })).toBeDisabled();
  await user.type(message, " {Enter}");
  expect(within(await chosen()).getAllByRole("img")).toHaveLength(1);
  await user.type(message, "Our garden");
  expect(screen.queryByText(/Write a few words as well/)).toBeNull();
  expect(screen.getByRole("button", { name: "Send" })).toBeEnabled();
});

test("no more than eight go with a message", async () => {
  const user = userEvent.setup();
  open("/chat");
  await choose(user, ...Array.from({ length: 10 }, (_, index) => `${index}.jpg`));
  expect(within(await chosen()).getAllByRole("img")).toHaveLength(8);
  expect(screen.getByRole("button", { name: "Add pictures" })).toBeDisabled();
});

test("pictures are shown in the message that they were sent with, and open large", async () => {
  const user = userEvent.setup();
  open("/chat");
  await choose(user, "garden.jpg", "cat.jpg");
  await user.type(screen.getByRole("textbox", { name: "Message" }), "Our garden{Enter}");
  const pictures = within(await sent());
  await user.click(pictures.getByRole("button", { name: "Show picture 2 large" }));
  const large = await screen.findByRole("dialog", { name: "Picture 2" });
  expect(within(large).getByRole("img", { name: "Picture 2" })).toBeVisible();
  await user.keyboard("{Escape}");
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(screen.queryByRole("list", { name: "Pictures of this message" })).toBeNull();
});

test("a picture that the box refuses leaves message and pictures where they were", async () => {
  const user = userEvent.setup();
  const sending = vi.fn();
  const problem = { code: "invalid_input", message: "This picture is damaged." };
  open("/chat", {}, () => ({
    addPicture: () => Promise.reject(new ApiError(422, problem)),
    sendMessage: sending,
  }));
  await choose(user, "broken.jpg");
  const message = screen.getByRole("textbox", { name: "Message" });
  await user.type(message, "Look{Enter}");
  expect(await screen.findByRole("alert")).toHaveTextContent("This picture is damaged.");
  expect(message).toHaveValue("Look");
  expect(within(await chosen()).getAllByRole("img")).toHaveLength(1);
  expect(sending).not.toHaveBeenCalled();
});

test("an edited message keeps its pictures", async () => {
  const user = userEvent.setup();
  const { api, router } = visit("/chat");
  await choose(user, "garden.jpg");
  await user.type(screen.getByRole("textbox", { name: "Message" }), "Our garden{Enter}");
  await sent();
  await screen.findByRole("button", { name: "Good answer" });
  await user.click(screen.getByRole("button", { name: "Edit" }));
  await user.type(screen.getByRole("textbox", { name: "Edit" }), " in May");
  const [save] = screen.getAllByRole("button", { name: "Send" });
  if (save) await user.click(save);
  expect(await screen.findByText("Our garden in May")).toBeVisible();
  const id = router.state.location.pathname.replace("/chat/", "");
  await waitFor(async () => expect((await api.listPictures(id)).items).toHaveLength(2));
  expect(within(await sent()).getAllByRole("img")).toHaveLength(1);
});
