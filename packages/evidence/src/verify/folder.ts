import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { packFilesMax } from "../pack.ts";
import type { LogSource } from "./log-source.ts";
import type { PackSource } from "./source.ts";

/** Without waiting: a pipe among the files would otherwise hold up its reader for ever. */
const readOnly = constants.O_RDONLY | constants.O_NONBLOCK;

/** Folders nested deeper than any path of a pack are reported, not entered. */
const depthMax = 8;

interface Found {
  readonly path: string;
  readonly size: number | null;
}

/** An export in a folder. Links are never followed while listing. Throws what the file system throws when it cannot be read. */
export function packInFolder(folder: string): PackSource {
  return {
    async list() {
      const found: Found[] = [];
      await walk({ folder, path: "", depth: 0 }, found);
      return found;
    },
    read: (path, bytesMax) => readBounded(join(folder, path), bytesMax),
  };
}

async function walk(at: { readonly folder: string; readonly path: string; readonly depth: number }, found: Found[]): Promise<void> {
  for (const child of await readdir(join(at.folder, at.path), { withFileTypes: true })) {
    const path = at.path === "" ? child.name : `${at.path}/${child.name}`;
    if (child.isDirectory() && at.depth < depthMax) await walk({ folder: at.folder, path, depth: at.depth + 1 }, found);
    else found.push({ path, size: child.isFile() ? (await lstat(join(at.folder, path))).size : null });
    if (found.length > packFilesMax + 2) return;
  }
}

/** The size is looked at after opening, so that a file that grows meanwhile cannot fill the memory. */
export async function readBounded(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
  let file;
  try {
    file = await open(path, readOnly);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
  try {
    const status = await file.stat();
    if (!status.isFile() || status.size > bytesMax) return undefined;
    const buffer = new Uint8Array(status.size);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR" || error.code === "ELOOP");
}

/**
 * A log in a folder. Reads at once and not by promises: a log of a million entries has thousands of small files, and
 * handing each to another thread and back takes longer than reading it.
 */
export function logInFolder(folder: string): LogSource {
  return { read: async (path, bytesMax) => readBoundedNow(join(folder, path), bytesMax) };
}

function readBoundedNow(path: string, bytesMax: number): Uint8Array | undefined {
  let file: number;
  try {
    file = openSync(path, readOnly);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
  try {
    const status = fstatSync(file);
    if (!status.isFile() || status.size > bytesMax) return undefined;
    const buffer = new Uint8Array(status.size);
    return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, 0));
  } finally {
    closeSync(file);
  }
}
