import { join } from "node:path";
import { tilePath, tileWidthAt } from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import type { Files } from "./files.ts";
import { hashBytes, tileWidth } from "./tree.ts";

export interface TileFile {
  readonly files: Files;
  readonly folder: string;
  readonly level: number;
  readonly index: number;
  /** Hashes that are wanted, from the first. */
  readonly width: number;
  /** Entries in the tree that the files are of. */
  readonly size: number;
}

/** The first hashes of a tile as it lies on the disk, full or as partial as the tree has it. */
export async function readTileFile({ files, folder, level, index, width, size }: TileFile): Promise<Uint8Array> {
  const bytes = width * hashBytes;
  const whole = tileWidthAt({ level, index, size });
  for (const present of whole === tileWidth ? [tileWidth] : [whole, tileWidth]) {
    const found = await files.readWhole(join(folder, tilePath({ level, index, width: present })), present * hashBytes);
    if (found && found.length === present * hashBytes && found.length >= bytes) return found.subarray(0, bytes);
  }
  const path = tilePath({ level, index, width: whole });
  throw new LicetError("log_damaged", { message: `the tile \`${path}\` is missing or short`, at: { path } });
}
