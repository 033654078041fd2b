import { parsed, refused, type Parsed } from "../parsed.ts";
import type { PackFile } from "../pack.ts";
import { digestOfBytes } from "../sha256.ts";

/** Where the files of an export come from: a folder, an archive, memory. Everything in it is untrusted. */
export interface PackSource {
  /** Every file, at any depth. `null` for what is no plain file: a link, a device. */
  list(): Promise<readonly { readonly path: string; readonly size: number | null }[]>;
  /** Reads at most `bytesMax` bytes; undefined if there is no such file, or if it is larger. */
  read(path: string, bytesMax: number): Promise<Uint8Array | undefined>;
}

/** Files in memory, by path. */
export function packInMemory(files: ReadonlyMap<string, Uint8Array>): PackSource {
  return {
    list: () => Promise.resolve([...files].map(([path, bytes]) => ({ path, size: bytes.length }))),
    read: (path, bytesMax) => {
      const bytes = files.get(path);
      return Promise.resolve(bytes !== undefined && bytes.length <= bytesMax ? bytes : undefined);
    },
  };
}

/**
 * Reads a listed file, and compares it with its digest each time: whoever can change the folder while it is being
 * verified gains nothing.
 */
export async function readListed(source: PackSource, file: PackFile): Promise<Parsed<Uint8Array>> {
  const bytes = await source.read(file.path, file.size);
  if (bytes === undefined) return refused("file_missing", `\`${file.path}\` is missing or larger than listed`);
  if (bytes.length !== file.size || digestOfBytes(bytes) !== file.digest) return refused("file_changed", `\`${file.path}\` is not the file that pack.json lists`);
  return parsed(bytes);
}
