import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Digest } from "@licet/contract";
import { LicetError } from "../base/errors.ts";

/** Files that the server's own runner works on, kept by their SHA-256 in the data directory. */
export interface HeldFiles {
  put(digest: string, bytes: Uint8Array): Promise<{ readonly size: number; readonly held: boolean }>;
  /** Undefined when it is not held. */
  path(digest: string): Promise<string | undefined>;
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** Temp, sync, rename: a digest never names half a file. */
async function writeDurably(directory: string, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(directory, `.${randomBytes(8).toString("hex")}.tmp`);
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(bytes);
    await file.datasync();
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new LicetError("disk_full", { cause });
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

export function heldFiles(directory: string): HeldFiles {
  const pathOf = (digest: string): string => join(directory, Digest.parse(digest).slice("sha256:".length));
  return {
    async put(digest, bytes) {
      const actual = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
      if (actual !== digest) throw new LicetError("file_digest_mismatch", { message: `the bytes have the digest \`${actual}\`` });
      const path = pathOf(digest);
      if (await exists(path)) return { size: bytes.length, held: true };
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await writeDurably(directory, path, bytes);
      return { size: bytes.length, held: true };
    },
    async path(digest) {
      const path = pathOf(digest);
      return (await exists(path)) ? path : undefined;
    },
  };
}
