import { fromBase64, fromUtf8, utf8, type Bytes } from "./bytes.ts";
import { canonicalize, parseCanonical } from "./canonical.ts";
import { proofHashesMax } from "./inclusion.ts";
import { parsed, refused, type Parsed } from "./parsed.ts";
import { digestOfBytes, isDigest, type Digest } from "./sha256.ts";
import { followEachOther, shardName, shardPrefix, shardsMax } from "./shard.ts";
import { fits, isCount, isTime, listOf, optional, type Shape, type Test } from "./shape.ts";

/** Payload type of the envelope around `pack.json`. */
export const packPayloadType = "application/vnd.licet.pack+json";
export const manifestPath = "pack.json";
export const manifestEnvelopePath = "pack.dsse.json";
export const checkpointPath = "checkpoint";
/** The statements of the log's key rotations, in their order: they lead a holder of an older trust file to the newer keys. */
export const keyHistoryPath = "key-history.json";

export function entryPath(index: number): string {
  return `entries/${index}.json`;
}

/** A readable copy of a statement in entry `index`; `name` says which, in lower-case letters, digits and hyphens. */
export function statementPath(index: number, name: string): string {
  return `statements/${index}-${name}.json`;
}

/** The statement over the decisions of one gateway run, numbered from 0. */
export function batchPath(number: number): string {
  return `batches/${number}.json`;
}

/** The proof that the pack's checkpoint continues one of `oldSize` entries. */
export function consistencyPath(oldSize: number): string {
  return `consistency/${oldSize}.json`;
}

export interface PackFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly digest: Digest;
}

/** First and last decision number of one gateway that the pack says it holds without gaps. */
export interface Sequence {
  readonly gateway: string;
  readonly from: number;
  readonly to: number;
}

/** One tree of the log, as far as the pack knows it. Its checkpoint and tiles lie below `packShardPrefix`. */
export interface PackShard {
  readonly name: string;
  readonly origin: string;
  /** Number of its first entry in the whole log. */
  readonly base: number;
  /** Entries in it: of the last one under its checkpoint, of others as the next one's first entry cites. */
  readonly treeSize: number;
}

/** Folder of a shard's checkpoint and tiles in a pack; the first one's lie at the top. */
export function packShardPrefix(at: number, shard: { readonly name: string }): string {
  return shardPrefix(at, shard);
}

export interface PackMeta {
  readonly space: string;
  /** Names of the systems it is about. */
  readonly systems: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly exportedAt: number;
  /** Of the newest shard, whose checkpoint vouches for the whole pack. */
  readonly origin: string;
  /** Entries in the whole log at the export. */
  readonly treeSize: number;
  /** In order. Absent: the log is one tree. */
  readonly shards?: readonly PackShard[];
  /** `complete`: every decision from `from` to `to` of each gateway in `sequences` is in it. */
  readonly decisions: "complete" | "selected";
  readonly sequences: readonly Sequence[];
}

/** `pack.json`: what an export holds, file by file. */
export interface PackManifest extends PackMeta {
  /** Version 1 knew one tree and no erasures; it is read, and no longer written. */
  readonly formatVersion: 1 | 2;
  readonly shards: readonly PackShard[];
  /** Every file but `pack.json` and `pack.dsse.json`, by path in UTF-16 order. */
  readonly files: readonly PackFile[];
}

/** One file of `entries/`. */
export interface PackEntry {
  readonly index: number;
  /** Canonical JSON exactly as logged. */
  readonly leaf: string;
  /** Base64 hashes, leaf upwards. */
  readonly proof: readonly string[];
  /** Absent when only the leaf is shown, which no verifier takes for an erasure. */
  readonly payload?: PackPayload;
}

/** Base64. An erased payload's key was destroyed; its ciphertext is there as long as the log keeps it. */
export type PackPayload = SealedPayload | { readonly ciphertext?: string; readonly erased: true };

export interface SealedPayload {
  readonly ciphertext: string;
  readonly key: string;
}

/** Bounds of what a verifier reads. An export within them is written; one beyond them is refused by both. */
export const packFilesMax = 200_000;
export const packFileBytesMax = 64 * 1024 * 1024;
export const manifestBytesMax = 128 * 1024 * 1024;

/** What `buildPackManifest` needs to know of each file. */
export interface PackContent {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * Lists the files of a pack. The answer's bytes go to `pack.json` and, signed as `packPayloadType`, into
 * `pack.dsse.json`: see `manifestBytes`. Throws a TypeError for what the verifier would refuse.
 */
export function buildPackManifest(files: readonly PackContent[], meta: PackMeta): PackManifest {
  return listPack(
    files.map(({ path, bytes }) => ({ path, size: bytes.length, digest: digestOfBytes(bytes) })),
    meta,
  );
}

/** As `buildPackManifest`, for files that are not in memory. */
export function listPack(files: readonly PackFile[], meta: PackMeta): PackManifest {
  const shards = meta.shards ?? [{ name: "1", origin: meta.origin, base: 0, treeSize: meta.treeSize }];
  const manifest: PackManifest = { ...meta, formatVersion: 2, shards, files: files.toSorted((left, right) => (left.path < right.path ? -1 : 1)) };
  const again = parseManifest(manifestBytes(manifest));
  if (!again.ok) throw new TypeError(again.message);
  return manifest;
}

/** The bytes of `pack.json`, and the payload that is signed. */
export function manifestBytes(manifest: PackManifest): Bytes {
  return utf8(canonicalize(manifest));
}

/** The bytes of any JSON file of a pack, such as an entry or an envelope. */
export function packJson(value: unknown): Bytes {
  return utf8(canonicalize(value));
}

const isName: Test = (value) => typeof value === "string" && value !== "" && value.length <= 1000;

/** Folders and names of plain characters, none beginning with a dot, so that no path leaves the pack. */
const pathPattern = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}(\/[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}){0,7}$/;
const isPath: Test = (value) => typeof value === "string" && pathPattern.test(value) && value !== manifestPath && value !== manifestEnvelopePath;

const fileShape = { path: isPath, size: (value: unknown) => isCount(value) && value <= packFileBytesMax, digest: isDigest };
const sequenceShape = { gateway: isName, from: isCount, to: isCount };

const shardShape = { name: (value: unknown) => value === "1" || (typeof value === "string" && shardName.test(value)), origin: isName, base: isCount, treeSize: isCount };

const manifestShape1: Shape = {
  formatVersion: (value) => value === 1,
  space: isName,
  systems: listOf(isName, 10_000),
  exportedAt: isTime,
  origin: isName,
  treeSize: isCount,
  decisions: (value) => value === "complete" || value === "selected",
  sequences: listOf((value) => fits(value, sequenceShape), 10_000),
  files: listOf((value) => fits(value, fileShape), packFilesMax),
};

const manifestShape: Shape = {
  ...manifestShape1,
  formatVersion: (value) => value === 2,
  shards: (value) => listOf((shard) => fits(shard, shardShape), shardsMax)(value) && Array.isArray(value) && value.length > 0,
};

function isManifest1(value: unknown): value is Omit<PackManifest, "shards"> {
  return fits(value, manifestShape1);
}

function isManifest(value: unknown): value is PackManifest {
  return fits(value, manifestShape);
}

/** What version 1 could say, as version 2 says it. */
function asManifest(value: unknown): PackManifest | undefined {
  if (isManifest1(value)) return { ...value, shards: [{ name: "1", origin: value.origin, base: 0, treeSize: value.treeSize }] };
  return isManifest(value) ? value : undefined;
}

/** The newest shard is the one that the pack is of, and where it ends the log ends. */
function shardsFit({ shards, origin, treeSize }: PackManifest): boolean {
  const newest = shards.at(-1);
  return followEachOther(shards.map((shard) => ({ ...shard, size: shard.treeSize }))) && newest?.origin === origin && newest.base + newest.treeSize === treeSize;
}

/** Parses `pack.json`: canonical, every path once and in order. */
export function parseManifest(bytes: Uint8Array): Parsed<PackManifest> {
  const json = parseJsonFile(bytes);
  if (!json.ok) return json;
  const manifest = asManifest(json.value);
  if (manifest === undefined) return refused("pack_malformed", "pack.json is not a pack manifest of format version 1 or 2");
  if (!shardsFit(manifest)) return refused("pack_shards", "the shards in pack.json do not follow each other up to the end of the log");
  const ordered = manifest.files.every((file, at) => at === 0 || (manifest.files[at - 1]?.path ?? "") < file.path);
  if (!ordered) return refused("pack_files_order", "pack.json lists a file twice or out of order");
  const gateways = new Set(manifest.sequences.map((sequence) => sequence.gateway));
  const sequencesFit = gateways.size === manifest.sequences.length && manifest.sequences.every(({ from, to }) => from <= to);
  return sequencesFit ? parsed(manifest) : refused("pack_sequences", "pack.json lists a gateway twice or a range that ends before it begins");
}

const isEncoded: Test = (value) => typeof value === "string";
const payloadShape = { ciphertext: isEncoded, key: isName };
const erasedShape = { ciphertext: optional(isEncoded), erased: (value: unknown) => value === true };
const entryShape: Shape = {
  index: isCount,
  leaf: (value) => typeof value === "string",
  proof: listOf((value) => typeof value === "string", proofHashesMax),
  payload: optional((value) => fits(value, payloadShape) || fits(value, erasedShape)),
};

function isEntry(value: unknown): value is PackEntry {
  return fits(value, entryShape);
}

/** Parses a file of `entries/`; says nothing about its proof. */
export function parsePackEntry(bytes: Uint8Array): Parsed<PackEntry> {
  const json = parseJsonFile(bytes);
  if (!json.ok) return json;
  return isEntry(json.value) ? parsed(json.value) : refused("entry_malformed", "this is not an exported entry");
}

export interface PackConsistency {
  readonly oldSize: number;
  readonly newSize: number;
  /** Base64 hashes. */
  readonly proof: readonly string[];
}

const consistencyShape = { oldSize: isCount, newSize: isCount, proof: listOf((value) => typeof value === "string", proofHashesMax) };

function isConsistency(value: unknown): value is PackConsistency {
  return fits(value, consistencyShape);
}

/** Parses a file of `consistency/`. */
export function parsePackConsistency(bytes: Uint8Array): Parsed<PackConsistency> {
  const json = parseJsonFile(bytes);
  if (!json.ok) return json;
  return isConsistency(json.value) ? parsed(json.value) : refused("consistency_malformed", "this is not a consistency proof");
}

/** Every JSON file of a pack is canonical, so that it has one spelling. */
export function parseJsonFile(bytes: Uint8Array): Parsed<unknown> {
  const text = fromUtf8(bytes);
  return text.ok ? parseCanonical(text.value) : text;
}

/** The sealed payload of an entry as bytes. */
export function decodePayload(payload: SealedPayload): Parsed<{ readonly ciphertext: Bytes; readonly key: Bytes }> {
  const ciphertext = fromBase64(payload.ciphertext);
  if (!ciphertext.ok) return ciphertext;
  const key = fromBase64(payload.key);
  return key.ok ? parsed({ ciphertext: ciphertext.value, key: key.value }) : key;
}
