import type { Layer, Purpose } from "../layer.ts";
import { Damaged, type Source, sliceSource } from "../source.ts";
import { inflateRaw } from "./expand.ts";
import { openEntry, type ZipMember } from "./zip-entry.ts";
import { type ZipDirectory, zipDirectory, extraFields } from "./zip-directory.ts";

const localMark = Uint8Array.of(0x50, 0x4b, 3, 4);
/** Fields that writers are known to add: sizes, times, names, users, alignment. */
const knownExtras = new Set([0x0001, 0x000a, 0x5455, 0x7855, 0x7875, 0x4246, 0xcafe, 0xd935, 0x6375, 0x7075, 0x5855]);
const unicodePath = 0x7075;
const utf8 = new TextDecoder("utf-8");
const unknownExtraBytesMax = 64;
const orphansMax = 1000;

/** Walks an archive through its directory, and then looks at every byte that the directory does not account for. */
export async function scanZip(layer: Layer): Promise<void> {
  const directory = zipDirectory(layer.source, layer.run.limits.entriesMax);
  layer.format = "zip";
  if (directory === undefined) {
    layer.report("zip.malformed", "the archive has no directory");
    await orphans(layer, 0, layer.source.size);
    layer.claims.claim(0, layer.source.size, "broken archive");
    return;
  }
  judgeDirectory(layer, directory);
  const members = await openAll(layer, directory);
  layer.format = formatOf(members.map(({ entry }) => entry.name));
  await examineMembers(layer, members);
  await examineGaps(layer);
}

function judgeDirectory(layer: Layer, directory: ZipDirectory): void {
  for (const doubt of directory.doubts) layer.report("zip.malformed", `the archive is ambiguous: ${doubt}`, directory.start);
  if (directory.prefix > 0) layer.report("zip.hidden", `${directory.prefix} bytes stand before the archive`, 0);
  layer.claims.claim(directory.start, directory.end, "zip directory");
  const seen = new Set<string>();
  for (const { name, at, extra } of directory.entries) {
    const key = name.toLowerCase();
    if (seen.has(key)) layer.report("zip.duplicate", `the name \`${name}\` stands twice: which one is read depends on the reader`, at);
    seen.add(key);
    for (const field of extraFields(extra)) {
      if (field.id === unicodePath && utf8.decode(field.bytes.subarray(5)) !== name) layer.report("zip.mismatch", `entry \`${name}\` has another name in its extra field`, at);
      if (!knownExtras.has(field.id) && field.bytes.length > unknownExtraBytesMax) layer.report("unclaimed", `entry \`${name}\` carries ${field.bytes.length} bytes in an extra field of unknown kind`, at);
    }
  }
  if (directory.comment.some((byte) => byte < 9 || byte > 126)) layer.report("zip.hidden", "the comment of the archive is no text", directory.end - directory.comment.length);
}

async function openAll(layer: Layer, directory: ZipDirectory): Promise<readonly ZipMember[]> {
  const members: ZipMember[] = [];
  // Entries that share bytes would make a small file take forever to read.
  if (directory.entries.reduce((sum, entry) => sum + entry.compressed, 0) > layer.source.size) {
    layer.report("zip.overlap", "the entries together are longer than the file", directory.start);
    return members;
  }
  for (const entry of directory.entries) {
    try {
      const member = await openEntry(layer, entry);
      if (member !== undefined) members.push(member);
    } catch (fault) {
      if (!(fault instanceof Damaged)) throw fault;
      layer.report("zip.malformed", fault.message, fault.offset);
    }
  }
  const overlap = layer.claims.overlap();
  if (overlap !== undefined) layer.report("zip.overlap", `${overlap.second.by} shares bytes with ${overlap.first.by}`, overlap.second.start);
  return members;
}

/** What the names in an archive say that it is. Says nothing about safety: every member is read by its own content. */
function formatOf(names: readonly string[]): string {
  const has = (pattern: RegExp): boolean => names.some((name) => pattern.test(name));
  if (has(/(?:^|\/)data\.pkl$/u)) return has(/(?:^|\/)constants\.pkl$/u) ? "torchscript" : "torch-zip";
  if (has(/^MAR-INF\/MANIFEST\.json$/u)) return "mar";
  if (names.includes("config.json") && (names.includes("metadata.json") || has(/^model\.weights\.h5$/u))) return "keras";
  return names.length > 0 && names.every((name) => name.endsWith(".npy")) ? "npz" : "zip";
}

async function examineMembers(layer: Layer, members: readonly ZipMember[]): Promise<void> {
  const torch = layer.format === "torch-zip" || layer.format === "torchscript";
  if (layer.format === "torchscript") layer.report("torch.script", "the archive holds a TorchScript program, which runs when the model is used");
  const pickles = new Set(torch ? members.filter(({ entry }) => entry.name.endsWith(".pkl")) : []);
  const tensors = await examinePickles(layer, pickles);
  const others = members.filter((member) => !pickles.has(member));
  for (const { entry, source } of others) await examineMember(layer, { entry, source, wanted: tensors.get(entry.name) });
  const seen = new Set(others.map(({ entry }) => entry.name));
  const missing = [...tensors.keys()].find((name) => !seen.has(name));
  if (missing !== undefined) layer.report("torch.storage", `the storage \`${missing}\` is not in the archive`);
}

/** Reads the pickles of a PyTorch archive first: they say which entries are tensors, and how long each must be. */
async function examinePickles(layer: Layer, pickles: ReadonlySet<ZipMember>): Promise<ReadonlyMap<string, number>> {
  const tensors = new Map<string, number>();
  for (const { entry, source } of pickles) {
    const inner = await layer.child(entry.name, source, layer.format === "torchscript" ? "torchscript" : "torch");
    for (const [key, bytes] of inner?.storages ?? []) tensors.set(`${entry.name.slice(0, -".pkl".length)}/${key}`, bytes);
  }
  return tensors;
}

async function examineMember(layer: Layer, { entry, source, wanted }: ZipMember & { readonly wanted: number | undefined }): Promise<void> {
  if (wanted !== undefined && wanted !== source.size) layer.report("torch.storage", `storage \`${entry.name}\` has ${source.size} bytes and its tensors need ${wanted}`, entry.at);
  if (source.size === 0 && entry.name.endsWith("/")) return;
  await layer.child(entry.name, source, wanted === undefined ? purposeOf(layer, entry.name) : "tensor");
}

function purposeOf(layer: Layer, name: string): Purpose | undefined {
  if (layer.format === "torchscript" && /(?:^|\/)code\/.*\.(?:py|debug_pkl)$/u.test(name)) return "torchscript";
  return layer.format === "keras" && name.endsWith(".json") ? "keras" : undefined;
}

/** Bytes between, before and behind the entries: zeros are padding, anything else was hidden. */
async function examineGaps(layer: Layer): Promise<void> {
  for (const { start, end } of layer.claims.gaps(layer.source.size)) {
    layer.claims.claim(start, end, "gap");
    if (isZero(layer.source, start, end)) continue;
    layer.report("zip.hidden", `${end - start} bytes belong to no entry of the directory`, start);
    if (!(await orphans(layer, start, end))) await layer.child(`bytes ${start} to ${end}`, sliceSource(layer.source, start, end));
  }
}

export function isZero(source: Source, start: number, end: number): boolean {
  for (let at = start; at < end; at += 65_536) {
    if (source.read(at, Math.min(65_536, end - at)).some((byte) => byte !== 0)) return false;
  }
  return true;
}

/** Entries that stand in the bytes and not in the directory: readers that go from the front load them. */
async function orphans(layer: Layer, start: number, end: number): Promise<boolean> {
  const bytes = Buffer.from(layer.source.read(start, Math.min(end - start, layer.run.limits.memoryBytesMax)));
  let found = 0;
  for (let at = bytes.indexOf(localMark); at >= 0 && found < orphansMax; at = bytes.indexOf(localMark, at + 4)) {
    found += 1;
    await orphan(layer, bytes, { at, start });
  }
  return found > 0;
}

async function orphan(layer: Layer, bytes: Buffer, { at, start }: { readonly at: number; readonly start: number }): Promise<void> {
  if (at + 30 > bytes.length) return;
  const method = bytes.readUInt16LE(at + 8);
  const packed = bytes.readUInt32LE(at + 18);
  const nameBytes = bytes.readUInt16LE(at + 26);
  const data = start + at + 30 + nameBytes + bytes.readUInt16LE(at + 28);
  const name = bytes.toString("utf8", at + 30, at + 30 + nameBytes);
  layer.report("zip.hidden", `entry \`${name}\` stands in the file and not in its directory`, start + at);
  try {
    const until = packed === 0 || packed === 0xffffffff ? start + bytes.length : data + packed;
    const source = method === 8 ? (await inflateRaw(layer, layer.source, data))?.source : sliceSource(layer.source, data, until);
    if (source !== undefined) await layer.child(name, source);
  } catch (fault) {
    if (!(fault instanceof Damaged)) throw fault;
  }
}
