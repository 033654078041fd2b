import { leafHash, type Bytes, type Leaf } from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import type { Entry } from "../ledger/recorder.ts";

/** A shard as the pack reads it; sizes and indices are its own. */
export interface ShardSource {
  readonly name: string;
  readonly origin: string;
  readonly base: number;
  readonly size: number;
  readonly frozen: boolean;
  checkpoint(): string | undefined;
  inclusionProof(index: number, size: number): Promise<readonly Uint8Array[]>;
}

/** One entry of the log, of whatever space. */
export interface ScannedEntry {
  readonly index: number;
  readonly leaf: Leaf;
  readonly leafBytes: Uint8Array;
  /** Opens it. Only asked of what the pack shows. */
  disclose(): Promise<Disclosed>;
}

/** Content with the key of this one payload, or what is left of an erased one. */
export type Disclosed =
  | { readonly entry: Entry; readonly ciphertext: Uint8Array; readonly key: Uint8Array }
  | { readonly entry: undefined; readonly ciphertext: Uint8Array | undefined };

export interface Shown {
  readonly index: number;
  readonly leaf: Leaf;
  readonly leafBytes: Uint8Array;
  readonly disclosed: Disclosed;
}

export interface PackContent {
  readonly shown: readonly Shown[];
  /** Of every entry of the log, one after the other, 32 bytes each; empty beyond what a pack carries. */
  readonly leafHashes: Bytes;
  /** Names of the systems that it is about. */
  readonly systems: readonly string[];
  /** Erased entries of which no entry up to here says so: the log has not come to the record yet. */
  readonly unrecorded: number;
}

export interface ContentRequest {
  readonly space: string;
  /** Absent: everything in the space. */
  readonly system?: string | undefined;
  /** Entries of the whole log. */
  readonly size: number;
  readonly hashesMax: number;
}

/** All of it is in memory while it is written; beyond this one asks system by system. */
const entriesMax = 50_000;

/** Of every space's pack: without them its older trees and newer keys cannot be proved. */
const everySpace = new Set(["log.restored", "key.rotated"]);
const erasingKinds = new Set(["payload.erased", "retention.applied"]);

/** Reads the log once and opens what the pack shows. Throws `export_too_large`. */
export async function packContent(scan: AsyncIterable<ScannedEntry>, request: ContentRequest): Promise<PackContent> {
  const hashed = request.size <= request.hashesMax;
  const leafHashes = new Uint8Array(hashed ? request.size * 32 : 0);
  const shown: Shown[] = [];
  for await (const scanned of scan) {
    const { index, leaf, leafBytes } = scanned;
    if (hashed) leafHashes.set(leafHash(leafBytes), index * 32);
    if (leaf.space !== request.space && !everySpace.has(leaf.kind)) continue;
    const disclosed = await scanned.disclose();
    // Which system an erased entry was about is known by its pseudonym alone: `ofSystem` decides once all are read.
    if (disclosed.entry !== undefined && !isWanted(disclosed.entry, request.system)) continue;
    if (shown.length >= entriesMax) throw new LicetError("export_too_large", { message: `the export would hold more than ${entriesMax} entries` });
    shown.push({ index, leaf, leafBytes, disclosed });
  }
  const kept = ofSystem(shown, request.system);
  const systems = new Set(kept.flatMap(({ disclosed }) => disclosed.entry?.system ?? []));
  return { shown: kept, leafHashes, systems: [...systems].sort(), unrecorded: unrecorded(kept) };
}

/** Entries of no system (people, roles, providers, policies) belong to every system's pack: its approvals stand on them. */
function isWanted(entry: Entry, system: string | undefined): boolean {
  return system === undefined || entry.system === undefined || entry.system === system;
}

function ofSystem(shown: readonly Shown[], system: string | undefined): readonly Shown[] {
  if (system === undefined) return shown;
  const pseudonyms = new Set(shown.flatMap(({ leaf, disclosed }) => (disclosed.entry?.system === system ? [leaf.system] : [])));
  return shown.filter(({ leaf, disclosed }) => disclosed.entry !== undefined || leaf.system === undefined || pseudonyms.has(leaf.system));
}

function unrecorded(shown: readonly Shown[]): number {
  const destroyed = new Set<unknown>();
  for (const { leaf, disclosed } of shown) {
    const keys: unknown = erasingKinds.has(leaf.kind) ? disclosed.entry?.body["keys"] : undefined;
    if (Array.isArray(keys)) for (const key of keys) destroyed.add(key);
  }
  return shown.filter(({ leaf, disclosed }) => disclosed.entry === undefined && !destroyed.has(leaf.payload.kid)).length;
}
