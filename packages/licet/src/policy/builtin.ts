import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { threadId } from "node:worker_threads";
import { LicetError } from "@licet/contract";
import type { Bundle } from "./bundle-form.ts";
import { composeBundle } from "./compose.ts";
import type { ComposeSource } from "./compose-source.ts";
import { readPackFolder, type PackSource } from "./pack.ts";
import { precompiledFile, precompiledOf, readPrecompiled, type Precompiled } from "./precompiled.ts";

/** What belongs to this installation: the schema of the namespace `Licet` and the packs that come with it. */
export type BuiltinSource = Pick<ComposeSource, "schema" | "builtin">;

/** Owned by `builtinBundle`, by folder: the files of an installation do not change while it runs. */
const known = new Map<string, Bundle>();

/** The bundle of the policies that belong to this installation, and of nothing else. */
export function builtinBundle(folder: string = policiesFolder()): Bundle {
  const before = known.get(folder);
  if (before !== undefined) return before;
  const source = builtinSource(folder);
  const bundle = readPrecompiled(source, import.meta.dirname) ?? composedOnce(source);
  known.set(folder, bundle);
  return bundle;
}

/** For the build: what `readPrecompiled` finds beside the program. Kept for those who run the sources, too. */
export function precompiledBuiltin(folder: string = policiesFolder()): Precompiled {
  const source = builtinSource(folder);
  const made = precompiledOf(source, composeBundle({ ...source, packs: [] }).bundle);
  const cache = cacheFolder();
  if (cache !== undefined) keep(made, cache);
  return made;
}

export function builtinSource(folder: string = policiesFolder()): BuiltinSource {
  return { schema: readFileSync(join(folder, "licet.cedarschema"), "utf8"), builtin: existsSync(join(folder, "packs")) ? readPackFolder(folder) : [] };
}

/** The source runs from packages/licet/src, the product from packages/licet/dist: both look upwards. */
export function policiesFolder(): string {
  for (let at = import.meta.dirname; ; at = dirname(at)) {
    const folder = join(at, "policies");
    if (existsSync(join(folder, "licet.cedarschema"))) return folder;
    if (dirname(at) === at) throw new LicetError("policy_files_missing");
  }
}

/**
 * From the sources, nothing is built beside the program, and the tests of the packs are run by those who write them.
 * What a process compiled is kept for the next, by everything it was compiled from.
 */
function composedOnce(source: BuiltinSource): Bundle {
  const cache = cacheFolder();
  const before = cache === undefined ? undefined : readPrecompiled(source, join(cache, compilerDigest()));
  if (before !== undefined) return before;
  const { bundle } = composeBundle({ ...source, packs: [] }, { tested: false });
  if (cache !== undefined) keep(precompiledOf(source, bundle), cache);
  return bundle;
}

/** Whole or not at all: several processes may do the same at the same time, and others read. */
function keep(made: Precompiled, cache: string): void {
  forgetOld(cache);
  const folder = join(cache, compilerDigest());
  mkdirSync(folder, { recursive: true });
  const path = join(folder, precompiledFile);
  const mine = `${path}.${process.pid}-${threadId}`;
  writeFileSync(mine, JSON.stringify(made));
  renameSync(mine, path);
}

function forgetOld(cache: string): void {
  const before = Date.now() - cacheDaysMax * 86_400_000;
  for (const name of existsSync(cache) ? readdirSync(cache) : []) if (statSync(join(cache, name)).mtimeMs < before) rmSync(join(cache, name), { recursive: true, force: true });
}

/** Undefined in the product, which has its policies beside it. */
function cacheFolder(): string | undefined {
  if (!import.meta.filename.endsWith(".ts")) return undefined;
  const modules = join(import.meta.dirname, "../../../../node_modules");
  return existsSync(modules) ? join(modules, ".cache/licet/policies") : undefined;
}

const compilerFile = /^(?:action|bundle|caps|compose|coverage|decide|engine|golden|known|lint|omission|pack|requirement|scenario|value|wasm)(?!.*\.test\.ts$).*\.ts$/u;
const cacheDaysMax = 1;

/** Of the code that compiles: rules that were tightened are asked again. */
function compilerDigest(): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(import.meta.dirname).filter((each) => compilerFile.test(each)).sort()) hash.update(name).update(readFileSync(join(import.meta.dirname, name)));
  return hash.digest("hex").slice(0, 32);
}

export type { PackSource };
