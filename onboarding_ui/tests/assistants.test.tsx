import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ChangeAssistant } from "@/api/library-types";
import { open } from "./page";
// Read before the first wait begins, however slow the machine is.
import "@/pages/library";

test("an assistant's face is chosen, and kept", async () => {
  const user = userEvent.setup();
  const kept: ChangeAssistant[] = [];
  open("/library/assistants", {}, (api) => ({
    updateAssistant: (id, body) => {
      kept.push(body);
      return api.updateAssistant(id, body);
    },
  }));
  await user.click(await screen.findByRole("button", { name: "Edit" }));
  const faces = within(await screen.findByRole("group", { name: "Face" }));
  expect(faces.getByRole("radio", { name: "House" })).toBeChecked();
  await user.click(faces.getByRole("radio", { name: "Book" }));
  expect(faces.getByRole("radio", { name: "House" })).not.toBeChecked();
  await user.click(screen.getByRole("button", { name: "Save" }));
  await screen.findByRole("button", { name: "Edit" });
  expect(kept).toEqual([expect.objectContaining({ avatar: "book" })]);
});

test("an assistant whose documents are gone says so, and looks everywhere when it is told to", async () => {
  const user = userEvent.setup();
  const kept: ChangeAssistant[] = [];
  open("/library/assistants", {}, (api) => ({
    listAssistants: async (query) => {
      const { items } = await api.listAssistants(query);
      return { items: items.map((each) => ({ ...each, is_narrowed: true, file_ids: [] })) };
    },
    updateAssistant: (id, body) => {
      kept.push(body);
      return api.updateAssistant(id, body);
    },
  }));
  await user.click(await screen.findByRole("button", { name: "Edit" }));
  expect(await screen.findByText(/so it looks into none/)).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Let it look into all documents" }));
  expect(screen.queryByText(/so it looks into none/)).toBeNull();
  await user.click(screen.getByRole("button", { name: "Save" }));
  await screen.findByRole("button", { name: "Edit" });
  expect(kept).toEqual([expect.objectContaining({ is_narrowed: false, file_ids: [] })]);
});

test("a memory says where it came from, also when that is gone", async () => {
  open("/library/memories", {}, (api) => ({
    listMemories: async () => {
      const { enabled, items } = await api.listMemories();
      const origins = [
        { message_id: "answer-1", conversation_id: "one", conversation_title: "The shed" },
        { message_id: "answer-2", conversation_id: null, conversation_title: null },
      ];
      return {
        enabled,
        items: items.map((memory, at) => ({ ...memory, ...origins[at] })),
      };
    },
  }));
  const link = await screen.findByRole("link", { name: "From the conversation The shed" });
  expect(link).toHaveAttribute("href", "/chat/one");
  expect(screen.getByText("From a conversation that is gone")).toBeVisible();
});
