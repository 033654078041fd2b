import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LicetError } from "@licet/contract";
import { isRecord, parseJson } from "@licet/evidence";
import { quoted, type Diagnostic } from "../inventory/diagnostic.ts";
import { builtinBundle, builtinSource } from "../policy/builtin.ts";
import { readBundle } from "../policy/bundle-read.ts";
import type { Bundle } from "../policy/bundle-form.ts";
import { checkPacks, withoutScenarios, type CheckedPacks } from "../policy/pack-check.ts";
import { openPacks, packFileName, type OpenedPacks } from "../policy/pack-folder.ts";
import { UsageError } from "./failure.ts";

export interface CheckedFolder extends CheckedPacks {
  readonly opened: OpenedPacks;
}

/** The folder named, else `policies` here, else the folder of one pack. */
export function policyFolder(given: string | undefined): string {
  if (given !== undefined) return given;
  if (existsSync("policies")) return "policies";
  if (existsSync(packFileName)) return ".";
  throw new UsageError("there is no `policies` folder here: name one, or begin a pack with `licet policy new NAME`");
}

/**
 * A folder checked together with the installation's packs. `whole` runs the installation's scenarios too, as publishing
 * does; without it the bundle decides the same and has no digest that anybody else knows.
 */
export async function checkFolder(given: string | undefined, { whole }: { readonly whole: boolean }): Promise<CheckedFolder> {
  const folder = policyFolder(given);
  const opened = openPacks(folder);
  if (opened.packs.length === 0 && opened.diagnostics.length === 0) throw new LicetError("pack_unreadable", { message: `there is no pack in ${quoted(join(folder, "packs"))}` });
  const installed = builtinSource();
  const source = whole ? installed : { ...installed, builtin: withoutScenarios(installed.builtin) };
  return { opened, ...(await checkPacks(opened, { source, builtin: builtinBundle() })) };
}

export interface PoliciesOptions {
  readonly policies?: string;
  readonly bundle?: string;
}

export interface ReadPolicies {
  readonly bundle: Bundle;
  /** Null for a folder's, which were published nowhere. */
  readonly digest: string | null;
}

/** The policies that a command reads: a saved bundle's, a folder's with the installation's, or the installation's alone. */
export async function policiesFrom({ policies, bundle }: PoliciesOptions): Promise<ReadPolicies> {
  if (policies !== undefined && bundle !== undefined) throw new UsageError("give --policies or --bundle, not both");
  if (policies !== undefined) return { bundle: withBuiltinTests(soundBundle(await checkFolder(policies, { whole: false }))), digest: null };
  const read = bundle === undefined ? builtinBundle() : readBundleFile(bundle);
  return { bundle: read, digest: read.digest };
}

/** The installation's packs were not tested again: what their own bundle says of them holds. */
function withBuiltinTests(bundle: Bundle): Bundle {
  const installed = new Map(builtinBundle().packs.map((pack) => [pack.name, pack]));
  return { ...bundle, packs: bundle.packs.map((pack) => installed.get(pack.name) ?? pack) };
}

/** Throws `pack_malformed` with the diagnostics where the folder has errors. */
export function soundBundle({ bundle, diagnostics, opened }: CheckedFolder): Bundle {
  if (bundle !== undefined) return bundle;
  const [first] = diagnostics;
  throw new LicetError("pack_malformed", { message: `${quoted(opened.folder)} has ${counted(diagnostics, "error")}; the first: ${first === undefined ? "" : `${first.file}:${first.line}:${first.column}: ${first.message}`}`, at: { diagnostics } });
}

export function counted(diagnostics: readonly Diagnostic[], severity: Diagnostic["severity"]): string {
  const count = diagnostics.filter((each) => each.severity === severity).length;
  return `${count} ${severity}${count === 1 ? "" : "s"}`;
}

/** A bundle as `licet policy pull` saves it; its digest and golden decisions are verified. */
export function readBundleFile(file: string): Bundle {
  const json = jsonIn(file);
  const { digest, ...rest } = isRecord(json) ? json : {};
  if (typeof digest !== "string") throw new LicetError("file_unreadable", { message: `${quoted(file)} is not a bundle: save one with \`licet policy pull\`` });
  return readBundle(JSON.stringify(isRecord(rest["bundle"]) ? rest["bundle"] : rest), digest);
}

export function jsonIn(file: string): unknown {
  try {
    return parseJson(textIn(file));
  } catch (cause) {
    if (cause instanceof LicetError) throw cause;
    throw new LicetError("file_unreadable", { message: `${quoted(file)} is not JSON`, cause });
  }
}

/** `-` is standard input. */
export function textIn(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (cause) {
    throw new LicetError("file_unreadable", { message: `${quoted(file)} cannot be read`, cause });
  }
}
