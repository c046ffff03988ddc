import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { openDropped } from "@/pages/knowledge/dropped";
import { inside, wayTo, within as folderWithin } from "@/pages/knowledge/folder-names";
import { open, refusal, visit } from "./page";
// Read before the first wait begins, however slow the machine is.
import "@/pages/library";

const folders = async () => within(await screen.findByRole("list", { name: "Folders" }));
const row = async (name: string) => {
  const heading = await screen.findByRole("heading", { name });
  return within(heading.closest("li") as HTMLElement);
};

test("a folder is opened and left by the way above it", async () => {
  const user = userEvent.setup();
  const { router } = visit("/library");
  const top = await folders();
  expect(top.getByRole("link", { name: "Taxes 2 documents" })).toBeVisible();
  expect(screen.queryByText("Tax return.pdf")).toBeNull();
  await user.click(top.getByRole("link", { name: /^Taxes/ }));
  expect(await screen.findByText("Tax return.pdf")).toBeVisible();
  await user.click(screen.getByRole("link", { name: "2025 1 document" }));
  expect(await screen.findByText("Receipts.pdf")).toBeVisible();
  const way = within(screen.getByRole("navigation", { name: "Where this is" }));
  await user.click(way.getByRole("link", { name: "Taxes" }));
  await waitFor(() => expect(router.state.location.search).toBe("?folder=Taxes"));
});

test("names are looked for in all folders from the top", async () => {
  const user = userEvent.setup();
  open("/library", {}, (api) => ({
    listFiles: async (filter) => {
      const found = (await api.listFiles(filter)).items;
      const many = Array.from({ length: 9 }, (_, n) => ({ ...found[0], id: `more-${n}` }));
      return { items: filter.query === "" ? [...found, ...(many as typeof found)] : found };
    },
  }));
  await user.type(await screen.findByRole("searchbox", { name: "Find by name" }), "receipts");
  expect(await screen.findByText("Receipts.pdf")).toBeVisible();
  await user.type(screen.getByRole("searchbox", { name: "Find by name" }), " of nobody");
  expect(await screen.findByText("No document of this name.")).toBeVisible();
});

test("a new folder takes in what is added while it is open", async () => {
  const user = userEvent.setup();
  const { api, router } = visit("/library?folder=Taxes");
  await user.click(await screen.findByRole("button", { name: "New folder" }));
  await user.type(screen.getByLabelText("Name of the folder"), " 2026 / May {Enter}");
  expect(await screen.findByText(/Nothing is in this folder yet/)).toBeVisible();
  expect(router.state.location.search).toBe(`?folder=${encodeURIComponent("Taxes/2026/May")}`);
  const adding = vi.spyOn(api, "addFile");
  await user.upload(screen.getByLabelText("Add documents", { selector: "input" }), [
    new File(["x"], "salary.pdf"),
  ]);
  await waitFor(() => expect(adding.mock.calls[0]?.[0].folder).toBe("Taxes/2026/May"));
  expect(await screen.findByText("salary.pdf")).toBeVisible();
});

test("a renamed folder keeps what is in it; a taken name is refused and kept", async () => {
  const user = userEvent.setup();
  const { api, router } = visit("/library?folder=Taxes%2F2025");
  await user.click(await screen.findByRole("button", { name: "Rename" }));
  const name = screen.getByLabelText("Name of the folder");
  await user.clear(name);
  await user.type(name, "Last year{Enter}");
  expect(await screen.findByRole("heading", { name: "Last year" })).toBeVisible();
  expect(router.state.location.search).toBe(`?folder=${encodeURIComponent("Taxes/Last year")}`);
  expect(await screen.findByText("Receipts.pdf")).toBeVisible();
  await api.moveFiles(["file-1"], "Taxes/Taken");
  await user.click(await screen.findByRole("button", { name: "Rename" }));
  await user.clear(screen.getByLabelText("Name of the folder"));
  await user.type(screen.getByLabelText("Name of the folder"), "Taken{Enter}");
  expect(await screen.findByRole("alert")).toHaveTextContent("There is a folder of this name");
  expect(screen.getByLabelText("Name of the folder")).toHaveValue("Taken");
});

test("a folder taken away leaves its documents one folder up", async () => {
  const user = userEvent.setup();
  visit("/library?folder=Taxes%2F2025");
  await user.click(await screen.findByRole("button", { name: "Delete folder" }));
  await user.click(screen.getByRole("button", { name: "Keep them, in Taxes" }));
  expect(await screen.findByText("Tax return.pdf")).toBeVisible();
  expect(await screen.findByText("Receipts.pdf")).toBeVisible();
});

test("documents go with their folder only after its name was typed", async () => {
  const user = userEvent.setup();
  const { api } = visit("/library?folder=Taxes");
  await user.click(await screen.findByRole("button", { name: "Delete folder" }));
  expect(screen.getByText(/There are 2 documents of yours in it/)).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Remove them too" }));
  const remove = screen.getByRole("button", { name: "Remove Taxes and what is in it" });
  expect(remove).toBeDisabled();
  await user.type(screen.getByRole("textbox", { name: /Taxes/ }), "Taxes");
  await user.click(remove);
  expect(await screen.findByText("House rules.pdf")).toBeVisible();
  expect((await api.listFolders()).items.map(({ name }) => name)).not.toContain("Taxes");
});

test("several documents are moved at once, and back again", async () => {
  const user = userEvent.setup();
  const { api } = visit("/library");
  for (const name of ["House rules.pdf", "Contract.pdf"]) {
    await user.click((await row(name)).getByRole("checkbox", { name: `Move ${name}` }));
  }
  await user.selectOptions(screen.getByLabelText("Move 2 documents to"), "Taxes");
  await user.click(screen.getByRole("button", { name: "Move there" }));
  expect(await screen.findByText("2 documents are in Taxes now.")).toBeVisible();
  await waitFor(() => expect(screen.queryByText("House rules.pdf")).toBeNull());
  await user.click(screen.getByRole("button", { name: "Undo" }));
  expect(await screen.findByText("House rules.pdf")).toBeVisible();
  expect((await api.getFile("file-3")).folder).toBe("");
});

test("what cannot be moved stays chosen, with the reason", async () => {
  const user = userEvent.setup();
  open("/library", {}, () => ({ moveFiles: refusal(503, { message: "Not now.", hint: "" }) }));
  const house = await row("House rules.pdf");
  await user.click(house.getByRole("checkbox"));
  await user.selectOptions(screen.getByLabelText("Move 1 document to"), "New folder…");
  await user.type(screen.getByLabelText("Name of the folder"), "House");
  await user.click(screen.getByRole("button", { name: "Move there" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("Not now.");
  expect(house.getByRole("checkbox")).toBeChecked();
});

test("somebody else's document cannot be moved", async () => {
  open("/library");
  expect((await row("Phone numbers.xlsx")).queryByRole("checkbox")).toBeNull();
});

const file = (fullPath: string) => ({
  isFile: true,
  fullPath,
  name: fullPath.split("/").at(-1),
  file: (take: (made: File) => void) => take(new File(["x"], fullPath.split("/").at(-1) ?? "")),
});

/** A folder that is handed over in two pieces, as browsers do with large ones. */
const directory = (fullPath: string, entries: object[]) => ({
  isFile: false,
  fullPath,
  name: fullPath.split("/").at(-1),
  createReader: () => {
    const pieces = [entries.slice(0, 1), entries.slice(1), []];
    return { readEntries: (take: (piece: object[]) => void) => take(pieces.shift() ?? []) };
  },
});

const transferOf = (entry: object) => ({
  types: ["Files"],
  items: [{ kind: "string" }, { kind: "file", webkitGetAsEntry: () => entry }],
  files: [],
});

test("a dropped folder keeps its order within the folder that is open", async () => {
  const { api } = visit("/library?folder=House");
  const adding = vi.spyOn(api, "addFile");
  const dropped = directory("/Cellar", [
    file("/Cellar/boiler.pdf"),
    file("/Cellar/.DS_Store"),
    directory("/Cellar/Meters", [file("/Cellar/Meters/water.pdf")]),
  ]);
  const target = await screen.findByRole("region", { name: "Add documents" });
  fireEvent.drop(target, { dataTransfer: transferOf(dropped) });
  await waitFor(() => expect(adding).toHaveBeenCalledTimes(2));
  const places = adding.mock.calls.map(([{ folder, file: sent }]) => `${folder}/${sent.name}`);
  expect(places).toEqual(["House/Cellar/boiler.pdf", "House/Cellar/Meters/water.pdf"]);
});

test("documents may be dropped anywhere, and what is no document is left to the browser", async () => {
  const { api } = visit("/library?folder=House");
  const adding = vi.spyOn(api, "addFile");
  const heading = await screen.findByRole("heading", { name: "Library" });
  await screen.findByRole("region", { name: "Add documents" });
  const words = { types: ["text/plain"], items: [], files: [] };
  expect(fireEvent.dragOver(heading, { dataTransfer: words })).toBe(true);
  expect(fireEvent.drop(heading, { dataTransfer: words })).toBe(true);
  const transfer = transferOf(file("/boiler.pdf"));
  expect(fireEvent.dragOver(heading, { dataTransfer: transfer })).toBe(false);
  expect(fireEvent.drop(heading, { dataTransfer: transfer })).toBe(false);
  await waitFor(() => expect(adding).toHaveBeenCalledOnce());
  expect(adding.mock.calls[0]?.[0].file.name).toBe("boiler.pdf");
});

test("a document says how many assistants look into it, and that it is still coming in", async () => {
  visit("/library", {}, (api) => ({
    listFiles: async (filter) => {
      const { items } = await api.listFiles(filter);
      const [used, unused, ...rest] = items;
      if (!used || !unused) throw new Error("the mock has documents");
      return {
        items: [
          { ...used, used_by: 2 },
          { ...unused, state: "uploading", done: 0, total: 0 },
          ...rest,
        ],
      };
    },
  }));
  expect(await screen.findByText(/Used by 2 assistants/)).toBeVisible();
  expect(screen.getAllByText(/Used by/)).toHaveLength(1);
  expect(screen.getByText("Arriving")).toBeVisible();
});

test("a passage that is cited far within a document is opened, and what stands before it", async () => {
  const user = userEvent.setup();
  const asked: object[] = [];
  visit("/library/documents/file-1?passage=301&at=300", {}, (api) => ({
    listPassages: async (id, from) => {
      asked.push(from);
      const { items } = await api.listPassages(id, { first: 0, limit: 1 });
      const places = Array.from({ length: Math.min(from.limit, 400 - from.first) }, (_, at) => at);
      return {
        items: places.flatMap((at) =>
          items.map((item) => ({
            ...item,
            number: from.first + at + 1,
            position: from.first + at,
            text: `Passage ${from.first + at}.`,
          })),
        ),
        next_first: from.first + from.limit < 400 ? from.first + from.limit : null,
      };
    },
  }));
  const cited = await screen.findByText("Passage 300.");
  expect(cited.tagName).toBe("MARK");
  expect(screen.getByText("Passage 295.")).toBeVisible();
  expect(screen.queryByText("Passage 294.")).toBeNull();
  await user.click(screen.getByRole("button", { name: "Show what comes before" }));
  expect(await screen.findByText("Passage 245.")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Show more" }));
  expect(await screen.findByText("Passage 394.")).toBeVisible();
  expect(asked).toEqual([
    { first: 295, limit: 50 },
    { first: 245, limit: 50 },
    { first: 345, limit: 50 },
  ]);
  const shown = screen.getAllByText(/^Passage \d+\.$/).map(({ textContent }) => textContent);
  expect(shown).toEqual(Array.from({ length: 150 }, (_, at) => `Passage ${245 + at}.`));
});

test("a browser that tells of no folders gives the files alone", async () => {
  const given = { items: [], files: [new File(["x"], "a.pdf")] };
  const found = await openDropped(given as unknown as DataTransfer);
  expect(found.map(({ folder, file: { name } }) => [folder, name])).toEqual([["", "a.pdf"]]);
});

test("names of folders are read step by step", () => {
  expect(folderWithin("A", " b  c / .. // d/")).toBe("A/b c/d");
  expect(folderWithin("", " . / ")).toBe("");
  expect(wayTo("A/b/c")).toEqual(["A", "A/b", "A/b/c"]);
  const some = ["A", "A/b", "A/b/c", "A and more"].map((name) => ({ name, documents: 1, own: 1 }));
  expect(inside(some, "A")).toEqual([{ name: "A/b", documents: 2, own: 2 }]);
  expect(inside(some, "").map(({ name }) => name)).toEqual(["A", "A and more"]);
});

test("a document that waits for a model leads to where it is fetched", async () => {
  const user = userEvent.setup();
  const why = { code: "no_model", message: "There is no model.", hint: "Download it." };
  const { router } = visit("/library", {}, (api) => ({
    listFiles: async (filter) => {
      const { items } = await api.listFiles(filter);
      return { items: items.map((file) => ({ ...file, state: "failed" as const, why })) };
    },
  }));
  const [link] = await screen.findAllByRole("link", { name: "Get the model" });
  if (link) await user.click(link);
  const group = await screen.findByRole("heading", { name: "For finding in documents" });
  expect(group.closest("section")).toHaveAttribute("id", "documents");
  expect(router.state.location.hash).toBe("#documents");
});
