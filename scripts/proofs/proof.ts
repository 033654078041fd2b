import { createHash } from "node:crypto";
import { transformSync } from "esbuild";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/** A promise that is worth minutes, not seconds: run by hand at length, and in slices by the tests. */
export interface Proof {
  readonly name: string;
  /** What holds when there are no losses. */
  readonly promise: string;
  /** Folders from the root; a change in any of them makes the last run stale. */
  readonly covers: readonly string[];
  /** Why it cannot be run on this machine, in words; it can where this is absent or answers undefined. */
  readonly whyNot?: () => string | undefined;
  run(options: ProofOptions): Promise<ProofRun>;
}

export interface ProofOptions {
  /** The same seed looks at the same places first. */
  readonly seed: number;
  /** Asked between rounds; at least one round is run. */
  readonly goOn: () => boolean;
  /** For a proof that counts rounds and not minutes; absent in a slice. */
  readonly rounds?: number;
  /** The one case to run again, of a proof that tells its losses by case. */
  readonly only?: number;
}

/** What happened to one subject. */
export type ProofRow = Readonly<Record<string, string | number>>;

export interface ProofRun {
  /** How much was tried. */
  readonly figures: Readonly<Record<string, number>>;
  /** Each broken promise, in words. */
  readonly losses: readonly string[];
  readonly table?: readonly ProofRow[];
}

/** Goes on for so many milliseconds from now. */
export function during(milliseconds: number): () => boolean {
  const until = performance.now() + milliseconds;
  return () => performance.now() < until;
}

/**
 * `sha256:` over path and code of every source file of the folders, except tests and the lists of tables, on which no
 * write depends. Of the sources counts what runs: not types, comments and white space.
 */
export function folderDigest(folders: readonly string[]): string {
  const sum = createHash("sha256");
  for (const path of folders.flatMap(sources).toSorted()) {
    const { code } = transformSync(readFileSync(join(root, path), "utf8"), { loader: "ts", minifyWhitespace: true, legalComments: "none" });
    const content = createHash("sha256").update(code).digest("hex");
    sum.update(`${path} ${content}\n`);
  }
  return `sha256:${sum.digest("hex")}`;
}

function sources(folder: string): readonly string[] {
  const found = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !/(?:\.test|tables)\.ts$/u.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"));
  if (found.length === 0) throw new Error(`a proof covers \`${folder}\`, which has no sources`);
  return found;
}
