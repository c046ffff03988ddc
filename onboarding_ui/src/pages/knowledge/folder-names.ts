import type { Folder } from "@/api/library-types";

/** The folder around it; "" for one at the top. */
export function parentOf(folder: string): string {
  return folder.includes("/") ? folder.slice(0, folder.lastIndexOf("/")) : "";
}

/** What a folder is called where it is. */
export function lastOf(folder: string): string {
  return folder.slice(folder.lastIndexOf("/") + 1);
}

/** `name` within `folder`, without the blanks and strokes that only look like a name. */
export function within(folder: string, name: string): string {
  const steps = `${folder}/${name}`.split("/").map((step) => step.trim().replace(/\s+/g, " "));
  return steps.filter((step) => step.replaceAll(".", "") !== "").join("/");
}

/** The way from the top to a folder, itself included. */
export function wayTo(folder: string): string[] {
  const steps = folder === "" ? [] : folder.split("/");
  return steps.map((_, index) => steps.slice(0, index + 1).join("/"));
}

export const isWithin = (name: string, folder: string): boolean =>
  folder === "" || name === folder || name.startsWith(`${folder}/`);

/** The folders directly within `folder`, each with all that is within it. */
export function inside(folders: Folder[], folder: string): Folder[] {
  const found = new Map<string, Folder>();
  const begin = folder === "" ? 0 : folder.length + 1;
  for (const one of folders) {
    if (!isWithin(one.name, folder) || one.name === folder) continue;
    const name = one.name.slice(0, begin) + (one.name.slice(begin).split("/")[0] ?? "");
    const { documents, own } = found.get(name) ?? { documents: 0, own: 0 };
    found.set(name, { name, documents: documents + one.documents, own: own + one.own });
  }
  return [...found.values()];
}

/** How many documents are in a folder and those within it. */
export function countIn(folders: Folder[], folder: string): { documents: number; own: number } {
  const all = folders.filter(({ name }) => isWithin(name, folder));
  return {
    documents: all.reduce((sum, { documents }) => sum + documents, 0),
    own: all.reduce((sum, { own }) => sum + own, 0),
  };
}

export const addressOf = (folder: string): string =>
  folder === "" ? "/library" : `/library?folder=${encodeURIComponent(folder)}`;
