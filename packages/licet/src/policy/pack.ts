import { LicetError, packsBytesMax, PackSources, type PackManifest, type PackSource } from "@licet/contract";
import { openPacks, type OpenedPacks } from "./pack-folder.ts";

export type { PackManifest, PackSource };

/** One file of a pack: its path below the pack's folder, and its text. */
export type PackFile = PackSource["policies"][number];

/**
 * The packs of a `policies/` folder, by name. Throws `pack_unreadable` where there is none, and `pack_malformed`
 * with every diagnostic where something in it is wrong.
 */
export function readPackFolder(folder: string): readonly PackSource[] {
  return accepted(openPacks(folder));
}

export function accepted({ folder, packs, diagnostics }: OpenedPacks): readonly PackSource[] {
  if (diagnostics.length === 0) return packs;
  const [first] = diagnostics;
  const place = first === undefined ? folder : `${first.file}:${first.line}:${first.column}: ${first.message}`;
  throw new LicetError("pack_malformed", { message: diagnostics.length === 1 ? place : `${place}, and ${diagnostics.length - 1} more`, at: { diagnostics } });
}

/** Packs as they come over the wire or stand in the record; throws `pack_malformed`. */
export function readPackJson(json: unknown): readonly PackSource[] {
  const parsed = PackSources.safeParse(json);
  if (!parsed.success) {
    const issues = parsed.error.issues.slice(0, 20).map((issue) => ({ path: issue.path.join("."), message: issue.message }));
    throw new LicetError("pack_malformed", { message: `the packs are not in their form: \`${issues[0]?.path ?? ""}\` ${issues[0]?.message ?? ""}`.trimEnd(), at: { issues } });
  }
  checkTogether(parsed.data);
  return parsed.data;
}

function checkTogether(packs: readonly PackSource[]): void {
  const names = packs.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new LicetError("pack_malformed", { message: `the pack \`${twice}\` stands twice` });
  const bytes = packs.flatMap(({ schema, policies, scenarios }) => [schema ?? "", ...policies.map(({ text }) => text), ...scenarios.map(({ text }) => text)]).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes > packsBytesMax) throw new LicetError("pack_malformed", { message: `the packs have ${bytes} bytes; ${packsBytesMax} are allowed` });
}
