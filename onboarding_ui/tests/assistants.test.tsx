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
