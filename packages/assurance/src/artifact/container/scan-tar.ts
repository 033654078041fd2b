import type { Layer } from "../layer.ts";
import { Damaged, type Source, sliceSource } from "../source.ts";
import { isZero } from "./scan-zip.ts";
import { leavesFolder } from "./zip-entry.ts";

const block = 512;
const longBytesMax = 1 << 20;
const text = new TextDecoder("utf-8");

interface Header {
  readonly name: string;
  readonly link: string;
  readonly size: number;
  readonly type: string;
}

/** Names and sizes from extension headers, for the next entry or for all that follow. */
interface Pending {
  readonly name?: string;
  readonly link?: string;
  readonly size?: number;
}

function field(bytes: Uint8Array, start: number, length: number): string {
  const part = bytes.subarray(start, start + length);
  const end = part.indexOf(0);
  return text.decode(end < 0 ? part : part.subarray(0, end));
}

/** Octal text, or base 256 when the first bit is set. */
function number(bytes: Uint8Array, start: number, length: number): number {
  const first = bytes[start] ?? 0;
  if ((first & 128) === 0) {
    const digits = field(bytes, start, length).trim();
    return digits === "" ? 0 : /^[0-7]+$/u.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
  }
  return bytes.subarray(start + 1, start + length).reduce((value, byte) => value * 256 + byte, first & 127);
}

function checksumHolds(bytes: Uint8Array): boolean {
  const sum = bytes.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
  return number(bytes, 148, 8) === sum;
}

export function isTar(source: Source): boolean {
  const head = source.read(0, block);
  return head.length === block && head[0] !== 0 && checksumHolds(head);
}

function header(bytes: Uint8Array, at: number): Header {
  if (!checksumHolds(bytes)) throw new Damaged("a header has a wrong checksum", at);
  const size = number(bytes, 124, 12);
  if (!Number.isSafeInteger(size)) throw new Damaged("a size is no number", at);
  const prefix = field(bytes, 257, 5) === "ustar" && bytes[262] === 0 ? field(bytes, 345, 155) : "";
  const name = field(bytes, 0, 100);
  return { name: prefix === "" ? name : `${prefix}/${name}`, link: field(bytes, 157, 100), size, type: String.fromCodePoint(bytes[156] ?? 0) };
}

/** `length key=value\n` records of POSIX.1-2001. */
function paxOf(bytes: Uint8Array, at: number): Pending {
  const found: Record<string, string> = {};
  for (let start = 0; start < bytes.length; ) {
    const space = bytes.indexOf(32, start);
    const length = Number(text.decode(bytes.subarray(start, Math.max(start, space))));
    if (space < 0 || !Number.isSafeInteger(length) || length <= space - start || start + length > bytes.length) throw new Damaged("an extended header is broken", at);
    const record = text.decode(bytes.subarray(space + 1, start + length - 1));
    found[record.slice(0, record.indexOf("="))] = record.slice(record.indexOf("=") + 1);
    start += length;
  }
  return pendingOf(found, at);
}

function pendingOf({ path, linkpath, size: written }: Readonly<Record<string, string>>, at: number): Pending {
  const size = written === undefined ? 0 : Number(written);
  if (!Number.isSafeInteger(size) || size < 0) throw new Damaged("an extended size is no number", at);
  return { ...(path !== undefined && { name: path }), ...(linkpath !== undefined && { link: linkpath }), ...(written !== undefined && { size }) };
}

/** Walks POSIX, GNU and pax archives. Source: POSIX.1-2024 pax, GNU tar manual "Basic Tar Format". */
export async function scanTar(layer: Layer): Promise<void> {
  layer.format = "tar";
  const names = new Set<string>();
  let pending: Pending = {};
  let always: Pending = {};
  let at = 0;
  while (at + block <= layer.source.size) {
    const bytes = layer.source.read(at, block);
    if (bytes.every((byte) => byte === 0)) break;
    const plain = header(bytes, at);
    const entry = { ...plain, ...always, ...pending };
    const extension = "xgLK".includes(plain.type);
    const start = at + block;
    const length = extension ? plain.size : "0123456".includes(entry.type) && entry.type !== "0" ? 0 : entry.size;
    const end = start + length;
    if (end > layer.source.size) throw new Damaged(`entry \`${entry.name}\` leaves the file`, at);
    const next = Math.min(start + Math.ceil(length / block) * block, layer.source.size);
    layer.claims.claim(at, start, "header");
    layer.claims.claim(start, end, `entry ${entry.name}`);
    if (!isZero(layer.source, end, next)) layer.report("tar.malformed", `bytes are hidden behind entry \`${entry.name}\``, end);
    layer.claims.claim(end, next, "padding");
    at = next;
    if (extension) {
      const told = extended(layer.source, { type: plain.type, start, end });
      if (plain.type === "g") always = { ...always, ...told };
      else pending = { ...pending, ...told };
      continue;
    }
    pending = {};
    await member(layer, { entry, start, end, names });
  }
  if (!isZero(layer.source, at, layer.source.size)) layer.report("tar.malformed", "bytes follow the end of the archive", at);
  layer.claims.claim(at, layer.source.size, "end of archive");
}

function extended(source: Source, { type, start, end }: { readonly type: string; readonly start: number; readonly end: number }): Pending {
  if (end - start > longBytesMax) throw new Damaged("an extended header is longer than any real one", start);
  const bytes = source.read(start, end - start);
  if (type === "L") return { name: field(bytes, 0, bytes.length) };
  if (type === "K") return { link: field(bytes, 0, bytes.length) };
  return paxOf(bytes, start);
}

function judgeKind(layer: Layer, entry: Header, at: number): void {
  if (entry.type === "1" || entry.type === "2") layer.report("tar.link", `entry \`${entry.name}\` is a link to \`${entry.link}\``, at);
  else if ("346".includes(entry.type)) layer.report("tar.special", `entry \`${entry.name}\` is a device or a pipe`, at);
  else if (entry.type !== "5") layer.report("unclaimed", `entry \`${entry.name}\` is of an unknown kind`, at);
}

async function member(layer: Layer, { entry, start, end, names }: { readonly entry: Header; readonly start: number; readonly end: number; readonly names: Set<string> }): Promise<void> {
  const at = start - block;
  const name = entry.name.replace(/^(?:\.\/)+/u, "") || ".";
  if (leavesFolder(name)) layer.report("tar.path", `the name \`${entry.name}\` leads out of the folder`, at);
  const isFile = entry.type === "0" || entry.type === "\0" || entry.type === "7";
  if (!isFile) judgeKind(layer, entry, at);
  if (!isFile && end === start) return;
  const key = name.toLowerCase();
  if (names.has(key)) layer.report("tar.duplicate", `the name \`${entry.name}\` stands twice: the later one wins when it is unpacked`, at);
  names.add(key);
  await layer.child(name, sliceSource(layer.source, start, end));
}
