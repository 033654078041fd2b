import { opendir, stat } from "node:fs/promises";
import { join } from "node:path";

export interface Storage {
  readonly logBytes: number;
  readonly databaseBytes: number;
  readonly filesBytes: number;
  /** Milliseconds since the Unix epoch: when it was measured. */
  readonly at: number;
}

/** A walk over a large log takes time: it is asked for by every open page, and changes slowly. */
const measuredEvery = 60_000;

async function bytesBelow(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return 0;
  if (!found.isDirectory()) return found.size;
  let total = 0;
  for await (const entry of await opendir(path)) total += await bytesBelow(join(path, entry.name));
  return total;
}

/** How much of the disk each part of a data directory takes, measured at most once a minute. */
export function storageOf(options: { readonly directory: string; readonly database: readonly string[]; readonly now: () => number }): () => Promise<Storage> {
  let last: Promise<Storage> | undefined;
  let until = 0;
  const measure = async (): Promise<Storage> => {
    const sizes = await Promise.all(options.database.map((name) => bytesBelow(join(options.directory, name))));
    const [logBytes, filesBytes] = await Promise.all([bytesBelow(join(options.directory, "log")), bytesBelow(join(options.directory, "files"))]);
    return { logBytes, filesBytes, databaseBytes: sizes.reduce((sum, size) => sum + size, 0), at: options.now() };
  };
  return () => {
    if (last === undefined || options.now() >= until) {
      until = options.now() + measuredEvery;
      last = measure();
      last.catch(() => {
        until = 0;
      });
    }
    return last;
  };
}
