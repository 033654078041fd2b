import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { canonicalize, parseJson } from "@licet/evidence";
import type { Bundle } from "./bundle-form.ts";
import type { BuiltinSource } from "./builtin.ts";
import { bundleJson, readBundle } from "./bundle-read.ts";

/** Beside the built program, never in the data directory: who can change it can change the program. */
export const precompiledFile = "policies.json";

/** What a build has parsed, validated and decided, so that a start need not. */
export interface Precompiled {
  /** Of schema and packs. */
  readonly sources: string;
  readonly digest: string;
  /** The text of the bundle, as `bundleJson` writes it. */
  readonly json: string;
}

export function sourcesDigest(source: BuiltinSource): string {
  return createHash("sha256").update(canonicalize(source)).digest("hex");
}

/** The build's work, when it was done on exactly these sources; else undefined, and they are compiled. */
export function readPrecompiled(source: BuiltinSource, folder: string): Bundle | undefined {
  const path = join(folder, precompiledFile);
  if (!existsSync(path)) return undefined;
  const { sources, digest, json }: Precompiled = parseJson(readFileSync(path, "utf8"));
  return sources === sourcesDigest(source) ? readBundle(json, digest) : undefined;
}

export function precompiledOf(source: BuiltinSource, bundle: Bundle): Precompiled {
  return { sources: sourcesDigest(source), digest: bundle.digest, json: bundleJson(bundle) };
}
