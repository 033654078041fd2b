import {
  batchPath,
  buildPackManifest,
  checkpointPath,
  entryPath,
  fromUtf8,
  isRecord,
  keyHistoryPath,
  manifestBytes,
  manifestEnvelopePath,
  manifestPath,
  packJson,
  packShardPrefix,
  packTilesEntriesMax,
  parseCheckpoint,
  parseNote,
  statementPath,
  tilesOfTree,
  toBase64,
  utf8,
  type Bytes,
  type Envelope,
  type PackPayload,
  type PackShard,
  type Sequence,
  type Statement,
} from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import type { Entry } from "../ledger/recorder.ts";
import { decisionBatchStatement, decisionIn, type NumberedRecord } from "./decision-batch.ts";
import { packContent, type Disclosed, type PackContent, type ScannedEntry, type ShardSource, type Shown } from "./pack-content.ts";

/** What the pack needs of the log. */
export interface PackSource {
  /** Of the newest shard. */
  readonly origin: string;
  /** Signs a checkpoint over everything durable now. */
  publish(): Promise<string>;
  /** In order; all but the last are frozen. */
  shards(): readonly ShardSource[];
  /** Durable entries of all spaces, from the first to `size`, exclusive. */
  scan(size: number): AsyncIterable<ScannedEntry>;
  signPack(payload: Uint8Array): Envelope;
  /** Signs one statement over the decisions of each gateway run; without it a pack holds none. */
  readonly signStatement?: (statement: Statement) => Envelope;
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

/** Statements lie in the pack readable as well; the copy must equal the payload byte for byte. */
function statementFiles(index: number, entry: Entry): readonly PackedFile[] {
  const copies = Object.entries(entry.body).filter(([, value]) => isRecord(value) && "payloadType" in value && "signatures" in value);
  return copies.map(([name, value]) => ({ path: statementPath(index, kebab(name)), bytes: packJson(value) }));
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`);
}

/** Each gateway counts from 1; `complete` is claimed only where nothing is left out. */
function sequences(numbered: readonly Numbered[]): readonly Sequence[] {
  const last = new Map<string, number>();
  for (const { gateway, seq } of numbered) last.set(gateway, Math.max(seq, last.get(gateway) ?? 0));
  return [...last].map(([gateway, to]) => ({ gateway, from: 1, to }));
}

interface Numbered extends NumberedRecord {
  readonly gateway: string;
}

/** For each gateway run that the pack is complete for, so that its completeness has one signature. */
function batchFiles({ origin, signStatement }: PackSource, numbered: readonly Numbered[], { space, exportedAt, ranges }: PackRequest & { readonly ranges: readonly Sequence[] }): readonly PackedFile[] {
  if (signStatement === undefined) return [];
  return ranges.map(({ gateway, from, to }, number) => {
    const records = numbered.filter((record) => record.gateway === gateway);
    const statement = decisionBatchStatement(records, { origin, space, gateway, from, to, at: exportedAt });
    return { path: batchPath(number), bytes: packJson(signStatement(statement)) };
  });
}

/** Entries under a signed checkpoint of our own. */
export function checkpointSize(signed: string): number {
  const note = parseNote(signed);
  const checkpoint = note.ok ? parseCheckpoint(note.value.text) : note;
  if (!checkpoint.ok) throw new LicetError("internal", { cause: new Error(checkpoint.message) });
  return checkpoint.value.size;
}

/** The log as it stands under one signed checkpoint of its newest shard. */
interface State {
  readonly shards: readonly (PackShard & { readonly source: ShardSource; readonly prefix: string; readonly note: string | undefined })[];
  readonly treeSize: number;
}

function stateOf(source: PackSource, note: string): State {
  const shards = source.shards().map((shard, at) => {
    const { name, origin, base, frozen } = shard;
    const treeSize = frozen ? shard.size : checkpointSize(note);
    return { name, origin, base, treeSize, source: shard, prefix: packShardPrefix(at, shard), note: frozen ? shard.checkpoint() : note };
  });
  return { shards, treeSize: shards.reduce((sum, { treeSize }) => sum + treeSize, 0) };
}

/** An erasure destroys keys first and records it then: a pack waits for the record. */
const attemptsMax = 3;

/** Writes the pack: every file, its signed list last. Never the trust file, never the verifier. Throws `export_too_large`. */
export async function auditPack(source: PackSource, request: PackRequest): Promise<readonly PackedFile[]> {
  const { space, system } = request;
  for (let attempt = 1; ; attempt += 1) {
    const state = stateOf(source, await source.publish());
    const content = await packContent(source.scan(state.treeSize), { space, system, size: state.treeSize, hashesMax: packTilesEntriesMax });
    if (content.unrecorded === 0 || attempt >= attemptsMax) return assemble(source, { request, state, content });
  }
}

interface Assembly {
  readonly request: PackRequest;
  readonly state: State;
  readonly content: PackContent;
}

async function assemble(source: PackSource, { request, state, content }: Assembly): Promise<readonly PackedFile[]> {
  const { space, exportedAt } = request;
  const files: PackedFile[] = [...treeFiles(state, content.leafHashes), ...keyHistory(content.shown)];
  for (const shown of content.shown) {
    files.push({ path: entryPath(shown.index), bytes: await entryFile(state, shown) });
    if (shown.disclosed.entry !== undefined) files.push(...statementFiles(shown.index, shown.disclosed.entry));
  }
  const complete = request.system === undefined;
  const numbered = content.shown.flatMap(numberedIn);
  const ranges = complete ? sequences(numbered) : [];
  files.push(...batchFiles(source, numbered, { ...request, ranges }));
  const manifest = buildPackManifest(files, {
    space,
    systems: content.systems,
    exportedAt,
    origin: state.shards.at(-1)?.origin ?? source.origin,
    treeSize: state.treeSize,
    shards: state.shards.map(({ name, origin, base, treeSize }) => ({ name, origin, base, treeSize })),
    decisions: complete ? "complete" : "selected",
    sequences: ranges,
  });
  const bytes = manifestBytes(manifest);
  return [...files, { path: manifestPath, bytes }, { path: manifestEnvelopePath, bytes: packJson(source.signPack(bytes)) }];
}

/** Checkpoints, and the hashes of all entries while they are few enough: with them any older checkpoint can be compared. */
function treeFiles({ shards }: State, leafHashes: Uint8Array): readonly PackedFile[] {
  return shards.flatMap(({ prefix, note, base, treeSize }) => {
    const signed = note === undefined ? [] : [{ path: `${prefix}${checkpointPath}`, bytes: utf8(note) }];
    const tiles = tilesOfTree(leafHashes.subarray(base * 32, (base + treeSize) * 32));
    return [...signed, ...tiles.map(({ path, bytes }) => ({ path: `${prefix}${path}`, bytes: new Uint8Array(bytes) }))];
  });
}

/** What leads a holder of an older trust file to the keys of today. */
function keyHistory(shown: readonly Shown[]): readonly PackedFile[] {
  const envelopes = shown.flatMap(({ leaf, disclosed }) => (leaf.kind === "key.rotated" && disclosed.entry !== undefined ? [disclosed.entry.body["statement"]] : []));
  return envelopes.length === 0 ? [] : [{ path: keyHistoryPath, bytes: packJson({ envelopes }) }];
}

function numberedIn({ index, leaf, leafBytes, disclosed }: Shown): readonly Numbered[] {
  const { gateway, seq, kind } = leaf;
  return gateway === undefined || seq === undefined ? [] : [{ gateway, index, seq, kind, leaf: leafBytes, decision: decisionIn(disclosed.entry?.body) }];
}

async function entryFile({ shards }: State, { index, leafBytes, disclosed }: Shown): Promise<Bytes> {
  const leaf = fromUtf8(leafBytes);
  const shard = shards.findLast(({ base }) => base <= index);
  if (!leaf.ok || shard === undefined) throw new LicetError("internal", { message: `entry ${index} cannot be exported` });
  const proof = await shard.source.inclusionProof(index - shard.base, shard.treeSize);
  return packJson({ index, leaf: leaf.value, proof: proof.map((hash) => toBase64(hash)), payload: payloadOf(disclosed) });
}

function payloadOf(disclosed: Disclosed): PackPayload {
  if (disclosed.entry !== undefined) return { ciphertext: toBase64(disclosed.ciphertext), key: toBase64(disclosed.key) };
  return { erased: true, ...(disclosed.ciphertext === undefined ? {} : { ciphertext: toBase64(disclosed.ciphertext) }) };
}
