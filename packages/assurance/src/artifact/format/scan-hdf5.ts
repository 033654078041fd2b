import type { Layer } from "../layer.ts";
import { hidesPickle } from "../pickle/scan-pickle.ts";
import { ByteReader, Damaged, sliceSource } from "../source.ts";
import { isZero } from "../container/scan-zip.ts";
import { type JsonDocument, parseJson } from "../text/json.ts";
import { readAttribute } from "./hdf5-attribute.ts";
import { type Hdf5File, type Message, messagesOf, number, openHdf5 } from "./hdf5-file.ts";
import { judgeKeras } from "./judge-keras.ts";

const treeDepthMax = 32;
const objectsMax = 1_000_000;
const windowBytes = 4 << 20;
const overlapBytes = 200;
const lambdaText = /"class_name"\s*:\s*"(?:Lambda|__lambda__)"|"function_type"\s*:\s*"lambda"/u;
const messages = { dataspace: 0x01, linkInfo: 0x02, link: 0x06, external: 0x07, layout: 0x08, attribute: 0x0c, symbols: 0x11, attributeInfo: 0x15 } as const;

class Walk {
  readonly file: Hdf5File;
  readonly layer: Layer;
  readonly seen = new Set<number>();
  readonly queue: number[] = [];
  readonly #nodes = new Set<number>();

  constructor(layer: Layer, file: Hdf5File) {
    this.layer = layer;
    this.file = file;
    this.visit(file.root);
  }

  visit(address: number): void {
    if (!Number.isFinite(address) || this.seen.has(address)) return;
    if (this.seen.size >= objectsMax) throw new Damaged("the file has more objects than a scan may follow", address);
    this.seen.add(address);
    this.queue.push(address);
  }

  /** A node that was read before would be read without end. */
  enter(address: number, depth: number): void {
    if (depth > treeDepthMax || this.#nodes.has(address)) throw new Damaged("a tree is nested too deep or returns to itself", address);
    this.#nodes.add(address);
  }

  claim(start: number, end: number, by: string): void {
    this.layer.claims.claim(start, Math.min(end, this.layer.source.size), by);
  }

  reader(at: number): ByteReader {
    return new ByteReader(this.layer.source, at);
  }

  address(reader: ByteReader): number {
    return number(reader, this.file.offsetBytes);
  }
}

/**
 * Walks the groups of an HDF5 file and judges every configuration in its attributes. Links and data that lie in other
 * files are refused. Layouts that are not followed leave the file undecided; a Lambda layer anywhere in the bytes
 * refuses it all the same.
 */
export function scanHdf5(layer: Layer): void {
  layer.format = "hdf5";
  judgeBytes(layer);
  const file = openHdf5(layer.source);
  const walk = new Walk(layer, file);
  layer.claims.claim(0, file.headerBytes, "superblock");
  if (file.end > layer.source.size) throw new Damaged("the file is shorter than it says", 0);
  for (let address = walk.queue.pop(); address !== undefined; address = walk.queue.pop()) {
    for (const message of messagesOf(file, address, (start, end) => walk.claim(start, end, "object header"))) judgeMessage(walk, message);
  }
  if (file.end < layer.source.size) throw new Damaged(`${layer.source.size - file.end} bytes follow the end of the file`, file.end);
  claimSlack(layer);
}

/** A search that does not depend on the structure, for attributes that a reader of the structure may not find. */
function judgeBytes(layer: Layer): void {
  for (let at = 0; at < layer.source.size; at += windowBytes) {
    const text = Buffer.from(layer.source.read(at, windowBytes + overlapBytes)).toString("latin1");
    if (!lambdaText.test(text)) continue;
    layer.imports("keras.layers", "Lambda");
    layer.report("keras.lambda", "a Lambda layer carries compiled Python code", at + text.search(lambdaText));
    return;
  }
}

function judgeMessage(walk: Walk, message: Message): void {
  if (message.type === messages.attribute && !message.shared) judgeAttribute(walk, message);
  else if (message.type === messages.symbols) symbolTable(walk, message);
  else if (message.type === messages.link) judgeLink(walk, message);
  else if (message.type === messages.external) walk.layer.report("hdf5.external", "data are kept in other files, which reading opens", message.start);
  else if (message.type === messages.layout) claimLayout(walk, message);
  else if (message.type === messages.linkInfo || message.type === messages.attributeInfo) judgeDense(walk, message);
}

function judgeAttribute(walk: Walk, message: Message): void {
  const { name, texts } = readAttribute(walk.file, message);
  for (const text of texts) {
    if (!/^\s*[[{]/u.test(text)) continue;
    const document = jsonOf(text);
    if (document === undefined) walk.layer.report("json.malformed", `the attribute \`${name}\` is no JSON`, message.start);
    else judgeKeras(walk.layer, document.value, { strict: true });
    if (document !== undefined && document.duplicates.length > 0) walk.layer.report("json.duplicate", `the attribute \`${name}\` has a key twice`, message.start);
  }
}

function jsonOf(text: string): JsonDocument | undefined {
  try {
    const document = parseJson(text);
    return document.end === text.length ? document : undefined;
  } catch (fault) {
    if (fault instanceof Damaged) return undefined;
    throw fault;
  }
}

/** Old groups: a B-tree of symbol nodes, with names in a local heap. */
function symbolTable(walk: Walk, message: Message): void {
  const reader = walk.reader(message.start);
  const tree = walk.address(reader);
  const heap = walk.address(reader);
  const names = walk.reader(heap);
  if (names.u32() !== 0x50414548) throw new Damaged("a heap of names is missing", heap);
  names.skip(4);
  const bytes = number(names, walk.file.lengthBytes);
  number(names, walk.file.lengthBytes);
  const start = walk.address(names);
  walk.claim(heap, names.at, "heap");
  walk.claim(start, start + bytes, "names");
  groupNode(walk, tree, 0);
}

function groupNode(walk: Walk, at: number, depth: number): void {
  walk.enter(at, depth);
  const reader = walk.reader(at);
  const mark = reader.u32();
  if (mark === 0x444f4e53) {
    symbolNode(walk, at);
    return;
  }
  if (mark !== 0x45455254 || reader.byte() !== 0) throw new Damaged("a tree of names is broken", at);
  reader.skip(1);
  const entries = reader.u16();
  reader.skip(2 * walk.file.offsetBytes);
  for (let index = 0; index < entries; index += 1) {
    if (!walk.layer.step()) throw new Damaged("the file has more nodes than a scan may follow", at);
    reader.skip(walk.file.lengthBytes);
    groupNode(walk, walk.address(reader), depth + 1);
  }
  walk.claim(at, reader.at + walk.file.lengthBytes, "tree");
}

function symbolNode(walk: Walk, at: number): void {
  const reader = walk.reader(at + 6);
  const count = reader.u16();
  for (let index = 0; index < count; index += 1) {
    reader.skip(walk.file.offsetBytes);
    const address = walk.address(reader);
    const kind = reader.u32();
    reader.skip(20);
    if (kind !== 2) walk.visit(address);
  }
  walk.claim(at, reader.at, "symbols");
}

/** New groups: links as messages. Kind 0 is in this file, 1 a name in this file, 64 another file. */
function judgeLink(walk: Walk, message: Message): void {
  const reader = walk.reader(message.start + 1);
  const flags = reader.byte();
  const kind = (flags & 8) === 0 ? 0 : reader.byte();
  reader.skip(((flags & 4) === 0 ? 0 : 8) + ((flags & 16) === 0 ? 0 : 1));
  const width = [1, 2, 4, 8][flags & 3] ?? 1;
  const length = width === 1 ? reader.byte() : number(reader, width);
  reader.skip(length);
  if (kind === 0) walk.visit(walk.address(reader));
  else if (kind !== 1) walk.layer.report("hdf5.external", "a link leads into another file", message.start);
}

/** Many links or attributes are kept in a heap of another kind, which this reader does not follow. */
function judgeDense(walk: Walk, message: Message): void {
  const reader = walk.reader(message.start + 1);
  const flags = reader.byte();
  const order = message.type === messages.linkInfo ? 8 : 2;
  reader.skip((flags & 1) === 0 ? 0 : order);
  if (Number.isFinite(walk.address(reader))) walk.layer.report("hdf5.unsupported", "links or attributes are stored in a dense heap", message.start);
}

/** Where the elements lie. Class 1 is one range, 2 is chunks, 3 is assembled from other files. */
function claimLayout(walk: Walk, message: Message): void {
  const reader = walk.reader(message.start);
  const version = reader.byte();
  if (version < 3) {
    walk.layer.report("hdf5.unsupported", `data are laid out as in version ${version}`, message.start);
    return;
  }
  const kind = reader.byte();
  if (kind === 3) walk.layer.report("hdf5.external", "data are assembled from other files", message.start);
  if (kind === 1) {
    const start = walk.address(reader);
    const bytes = number(reader, walk.file.lengthBytes);
    if (Number.isFinite(start) && start + bytes > walk.layer.source.size) throw new Damaged("data leave the file", message.start);
    if (Number.isFinite(start)) walk.claim(start, start + bytes, "elements");
  }
  if (kind === 2 && version === 3) {
    const rank = reader.byte();
    chunkNode(walk, { at: walk.address(reader), rank, depth: 0 });
  }
}

function chunkNode(walk: Walk, { at, rank, depth }: { readonly at: number; readonly rank: number; readonly depth: number }): void {
  if (!Number.isFinite(at)) return;
  walk.enter(at, depth);
  const reader = walk.reader(at);
  if (reader.u32() !== 0x45455254 || reader.byte() !== 1) throw new Damaged("a tree of chunks is broken", at);
  const level = reader.byte();
  const entries = reader.u16();
  reader.skip(2 * walk.file.offsetBytes);
  for (let index = 0; index < entries; index += 1) {
    if (!walk.layer.step()) throw new Damaged("the file has more chunks than a scan may follow", at);
    const bytes = reader.u32();
    reader.skip(4 + 8 * rank);
    const child = walk.address(reader);
    if (level > 0) chunkNode(walk, { at: child, rank, depth: depth + 1 });
    else if (child + bytes > walk.layer.source.size) throw new Damaged("a chunk leaves the file", at);
    else walk.claim(child, child + bytes, "chunk");
  }
  walk.claim(at, reader.at, "tree");
}

/** Collections of long texts are found through the attributes that refer to them, and not through the groups. */
function isHeap(layer: Layer, start: number, end: number): boolean {
  const reader = new ByteReader(layer.source, start);
  for (; reader.left >= 16 && reader.at < end; ) {
    const at = reader.at;
    if (reader.u32() !== 0x4c4f4347) return false;
    reader.skip(4);
    const size = reader.u64();
    if (size < 16 || at + size > end) return false;
    reader.at = at + size;
  }
  return reader.at === end;
}

/** The library leaves free space behind; it is told, and must not hold what another reader would run. */
function claimSlack(layer: Layer): void {
  let bytes = 0;
  for (const { start, end } of layer.claims.gaps(layer.source.size)) {
    layer.claims.claim(start, end, "free space");
    if (isZero(layer.source, start, end) || isHeap(layer, start, end)) continue;
    bytes += end - start;
    const gap = sliceSource(layer.source, start, end);
    const head = gap.read(0, 4);
    if (hidesPickle(gap) || (head[0] === 0x50 && head[1] === 0x4b)) layer.report("unclaimed", `${end - start} bytes of free space look like a file of another kind`, start);
  }
  if (bytes > 0) layer.report("hdf5.slack", `${bytes} bytes belong to no object`);
}
