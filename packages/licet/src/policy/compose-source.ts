import { LicetError } from "@licet/contract";
import { digestOf } from "@licet/evidence";
import type { PackKind } from "./bundle-form.ts";
import { capPacks } from "./caps.ts";
import type { PackSource } from "./pack.ts";

/** All that a bundle is made of. */
export interface ComposeSource {
  /** Cedar text of the namespace `Licet`. */
  readonly schema: string;
  /** The packs of this installation. */
  readonly builtin: readonly PackSource[];
  /** The packs that people publish. */
  readonly packs: readonly PackSource[];
}

/** A pack with the kind that its origin gives it: only the installation's own packs are built in. */
export interface PlacedPack {
  readonly source: PackSource;
  readonly kind: PackKind;
  readonly digest: string;
}

const orderDefault = 5000;

/** The enabled packs in the order in which they are read; throws `pack_malformed` and `policy_too_deep`. */
export function placedPacks({ schema, builtin, packs }: ComposeSource): readonly PlacedPack[] {
  capPacks({ schema, packs: [...builtin, ...packs] });
  const names = [...builtin, ...packs].map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new LicetError("pack_malformed", { message: `two packs are named \`${twice}\`: give yours another name` });
  const claimed = packs.find(({ manifest }) => manifest.kind === "builtin");
  if (claimed !== undefined) throw new LicetError("pack_malformed", { message: `\`${claimed.name}\` says it comes with Licet and does not: make it a baseline, a team or an application pack` });
  const placed = [...builtin.map((source) => place(source, "builtin")), ...packs.map((source) => place(source, source.manifest.kind))];
  return placed.filter(({ source }) => source.manifest.enabled !== false).sort((a, b) => order(a) - order(b) || (a.source.name < b.source.name ? -1 : 1));
}

function order({ source }: PlacedPack): number {
  return source.manifest.order ?? orderDefault;
}

function place(source: PackSource, kind: PackKind): PlacedPack {
  return { source, kind, digest: digestOf(source) };
}

/** One schema of all namespaces: Licet's first, then the applications'. */
export function wholeSchema(schema: string, packs: readonly PlacedPack[]): string {
  return [schema, ...packs.flatMap(({ source }) => (source.schema === undefined ? [] : [source.schema]))].map((text) => text.trim()).join("\n\n");
}
