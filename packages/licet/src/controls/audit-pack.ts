import {
  buildPackManifest,
  checkpointPath,
  entryPath,
  fromUtf8,
  isRecord,
  manifestBytes,
  manifestEnvelopePath,
  manifestPath,
  packJson,
  parseCheckpoint,
  parseNote,
  statementPath,
  toBase64,
  type Bytes,
  type Envelope,
  type PackEntry,
  type Sequence,
} from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import type { Entry } from "../ledger/recorder.ts";

/** What the pack needs of the log: one entry, opened and provable. */
export interface PackSource {
  readonly origin: string;
  /** Signs a checkpoint over everything durable now. */
  publish(): Promise<string>;
  /** Durable entries from the first to `size`, those of other spaces left out. */
  entries(space: string, size: number): AsyncIterable<PackedEntry>;
  proof(index: number, size: number): Promise<readonly Uint8Array[]>;
  signPack(payload: Uint8Array): Envelope;
}

export interface PackedEntry {
  readonly index: number;
  readonly entry: Entry;
  readonly leaf: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly key: Uint8Array;
}

export interface PackRequest {
  readonly space: string;
  /** Absent: everything in the space. */
  readonly system?: string | undefined;
  readonly exportedAt: number;
}

export interface PackedFile {
  readonly path: string;
  readonly bytes: Bytes;
}

/** All of it is in memory while it is written; beyond this one asks system by system. */
const entriesMax = 50_000;

/** Entries of no system (people, roles, providers, policies) belong to every system's pack: its approvals stand on them. */
function wanted(entry: Entry, system: string | undefined): boolean {
  return system === undefined || entry.system === undefined || entry.system === system;
}

/** Statements lie in the pack readable as well; the copy must equal the payload byte for byte. */
function statementFiles(index: number, entry: Entry): readonly PackedFile[] {
  const copies = Object.entries(entry.body).filter(([, value]) => isRecord(value) && "payloadType" in value && "signatures" in value);
  return copies.map(([name, value]) => ({ path: statementPath(index, kebab(name)), bytes: packJson(value) }));
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`);
}

/** Each gateway counts from 1; `complete` is claimed only where nothing is left out. */
function sequences(entries: readonly Entry[]): readonly Sequence[] {
  const seen = new Map<string, number[]>();
  for (const { gateway, seq } of entries) {
    if (gateway !== undefined && seq !== undefined) seen.set(gateway, [...(seen.get(gateway) ?? []), seq]);
  }
  return [...seen].map(([gateway, numbers]) => ({ gateway, from: 1, to: Math.max(...numbers) }));
}

/** Entries under a signed checkpoint of our own. */
export function checkpointSize(signed: string): number {
  const note = parseNote(signed);
  const checkpoint = note.ok ? parseCheckpoint(note.value.text) : note;
  if (!checkpoint.ok) throw new LicetError("internal", { cause: new Error(checkpoint.message) });
  return checkpoint.value.size;
}

/** Writes the pack: every file, its signed list last. Never the trust file, never the verifier. */
export async function auditPack(source: PackSource, request: PackRequest): Promise<readonly PackedFile[]> {
  const note = await source.publish();
  const treeSize = checkpointSize(note);
  const files: PackedFile[] = [{ path: checkpointPath, bytes: new TextEncoder().encode(note) }];
  const entries: Entry[] = [];
  const systems = new Set<string>();
  for await (const packed of source.entries(request.space, treeSize)) {
    const { entry, index } = packed;
    if (entry.system !== undefined && wanted(entry, request.system)) systems.add(entry.system);
    if (!wanted(entry, request.system)) continue;
    if (entries.length >= entriesMax) throw new LicetError("export_too_large", { message: `the export would hold more than ${entriesMax} entries` });
    entries.push(entry);
    files.push({ path: entryPath(index), bytes: packJson(await packEntry(source, packed, treeSize)) }, ...statementFiles(index, entry));
  }
  const complete = request.system === undefined;
  const manifest = buildPackManifest(files, {
    space: request.space,
    systems: [...systems].sort(),
    exportedAt: request.exportedAt,
    origin: source.origin,
    treeSize,
    decisions: complete ? "complete" : "selected",
    sequences: complete ? [...sequences(entries)] : [],
  });
  const bytes = manifestBytes(manifest);
  return [...files, { path: manifestPath, bytes }, { path: manifestEnvelopePath, bytes: packJson(source.signPack(bytes)) }];
}

async function packEntry(source: PackSource, packed: PackedEntry, size: number): Promise<PackEntry> {
  const leaf = fromUtf8(packed.leaf);
  if (!leaf.ok) throw new LicetError("internal", { cause: new Error(leaf.message) });
  const proof = await source.proof(packed.index, size);
  return {
    index: packed.index,
    leaf: leaf.value,
    proof: proof.map((hash) => toBase64(hash)),
    payload: { ciphertext: toBase64(packed.ciphertext), key: toBase64(packed.key) },
  };
}

