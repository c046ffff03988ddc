/** A file and the folder in which it lay, "" for none. */
export interface Dropped {
  file: File;
  folder: string;
}

/** What systems leave in folders and nobody wrote. */
const NOBODYS = /^(\.|thumbs\.db$|desktop\.ini$)/i;

/** Everything that was dropped, with the folders that the browser tells of. */
export async function openDropped(transfer: DataTransfer): Promise<Dropped[]> {
  // Only at the moment of the drop may these be asked for.
  const items = [...transfer.items].filter(({ kind }) => kind === "file");
  const roots = items.map((item) => item.webkitGetAsEntry() ?? item.getAsFile());
  if (roots.length === 0) return [...transfer.files].map((file) => ({ file, folder: "" }));
  const found = await Promise.all(roots.map((root) => open(root)));
  return found.flat();
}

async function open(root: FileSystemEntry | File | null): Promise<Dropped[]> {
  if (root === null) return [];
  if (root instanceof File) return [{ file: root, folder: "" }];
  const folder = root.fullPath.split("/").slice(1, -1).join("/");
  if (isFile(root)) return [{ file: await fileOf(root), folder }];
  const all = await entriesOf(root as FileSystemDirectoryEntry);
  const wanted = all.filter(({ name }) => !NOBODYS.test(name));
  return (await Promise.all(wanted.map((entry) => open(entry)))).flat();
}

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;

const fileOf = (entry: FileSystemFileEntry): Promise<File> =>
  new Promise((resolve, reject) => entry.file(resolve, reject));

/** Browsers hand a folder over in pieces, the last of which is empty. */
async function entriesOf(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const piece = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (piece.length === 0) return all;
    all.push(...piece);
  }
}
