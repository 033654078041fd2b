import { fromBase64, fromUtf8, utf8, type Bytes } from "./bytes.ts";
import { canonicalize, parseCanonical } from "./canonical.ts";
import { proofHashesMax } from "./inclusion.ts";
import { parsed, refused, type Parsed } from "./parsed.ts";
import { digestOfBytes, isDigest, type Digest } from "./sha256.ts";
import { fits, isCount, isTime, listOf, optional, type Shape, type Test } from "./shape.ts";

/** Payload type of the envelope around `pack.json`. */
export const packPayloadType = "application/vnd.licet.pack+json";
export const manifestPath = "pack.json";
export const manifestEnvelopePath = "pack.dsse.json";
export const checkpointPath = "checkpoint";

export function entryPath(index: number): string {
  return `entries/${index}.json`;
}

/** A readable copy of a statement in entry `index`; `name` says which, in lower-case letters, digits and hyphens. */
export function statementPath(index: number, name: string): string {
  return `statements/${index}-${name}.json`;
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

export interface PackMeta {
  readonly space: string;
  /** Names of the systems it is about. */
  readonly systems: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly exportedAt: number;
  /** Of the log whose checkpoint is in the pack. */
  readonly origin: string;
  readonly treeSize: number;
  /** `complete`: every decision from `from` to `to` of each gateway in `sequences` is in it. */
  readonly decisions: "complete" | "selected";
  readonly sequences: readonly Sequence[];
}

/** `pack.json`: what an export holds, file by file. */
export interface PackManifest extends PackMeta {
  readonly formatVersion: 1;
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
  /** Absent when erased, or when only the leaf is shown. */
  readonly payload?: { readonly ciphertext: string; readonly key: string };
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
  const manifest: PackManifest = { ...meta, formatVersion: 1, files: files.toSorted((left, right) => (left.path < right.path ? -1 : 1)) };
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

const manifestShape: Shape = {
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

function isManifest(value: unknown): value is PackManifest {
  return fits(value, manifestShape);
}

/** Parses `pack.json`: canonical, every path once and in order. */
export function parseManifest(bytes: Uint8Array): Parsed<PackManifest> {
  const json = parseJsonFile(bytes);
  if (!json.ok) return json;
  const manifest = json.value;
  if (!isManifest(manifest)) return refused("pack_malformed", "pack.json is not a pack manifest of format version 1");
  const ordered = manifest.files.every((file, at) => at === 0 || (manifest.files[at - 1]?.path ?? "") < file.path);
  if (!ordered) return refused("pack_files_order", "pack.json lists a file twice or out of order");
  const gateways = new Set(manifest.sequences.map((sequence) => sequence.gateway));
  const sequencesFit = gateways.size === manifest.sequences.length && manifest.sequences.every(({ from, to }) => from <= to);
  return sequencesFit ? parsed(manifest) : refused("pack_sequences", "pack.json lists a gateway twice or a range that ends before it begins");
}

const payloadShape = { ciphertext: (value: unknown) => typeof value === "string", key: isName };
const entryShape: Shape = {
  index: isCount,
  leaf: (value) => typeof value === "string",
  proof: listOf((value) => typeof value === "string", proofHashesMax),
  payload: optional((value) => fits(value, payloadShape)),
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
export function decodePayload(payload: { readonly ciphertext: string; readonly key: string }): Parsed<{ readonly ciphertext: Bytes; readonly key: Bytes }> {
  const ciphertext = fromBase64(payload.ciphertext);
  if (!ciphertext.ok) return ciphertext;
  const key = fromBase64(payload.key);
  return key.ok ? parsed({ ciphertext: ciphertext.value, key: key.value }) : key;
}
