import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "@licet/evidence";
import { getCedarVersion, type PolicyJson } from "@cedar-policy/cedar-wasm/nodejs";
import type { Bundle, PolicySource } from "./bundle.ts";

/** Beside the built program, never in the data directory: who can change it can change the program. */
const fileName = "policies.json";

/** What a build has parsed and validated, so that a start need not. */
export interface Precompiled {
  /** Of schema and texts, and of what parsed them. */
  readonly sources: string;
  readonly bundle: Bundle;
  /** Each policy's text with its parsed form. */
  readonly parsed: readonly (readonly [string, PolicyJson])[];
}

export function sourcesDigest({ schema, texts }: PolicySource): string {
  return createHash("sha256").update(JSON.stringify([getCedarVersion(), schema, texts])).digest("hex");
}

/** The build's work, when it was done on exactly these sources by this Cedar; else undefined, and they are compiled. */
export function readPrecompiled(source: PolicySource, folder: string = import.meta.dirname): Precompiled | undefined {
  const path = join(folder, fileName);
  if (!existsSync(path)) return undefined;
  const found: Precompiled = JSON.parse(readFileSync(path, "utf8"));
  if (found.sources !== sourcesDigest(source)) return undefined;
  const { digest, ...content } = found.bundle;
  return digestOf(content) === digest ? found : undefined;
}
