import { open, readdir } from "node:fs/promises";
import { join } from "node:path";

/** Every file and folder below `root`, and `root` itself, on the disk: a copy that a power cut can undo is no copy. */
export async function syncTree(root: string): Promise<void> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile() || entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  for (const path of [...paths, root]) await syncPath(path);
}

/** The names in a folder, on the disk. Windows cannot open a folder for syncing; its file system journals renames by itself. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform !== "win32") await syncPath(folder);
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
