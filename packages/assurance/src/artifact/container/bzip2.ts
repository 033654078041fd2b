import { type ByteReader, Damaged } from "../source.ts";
import type { Window } from "./window.ts";

const blockMark = 0x314159265359;
const endMark = 0x177245385090;
const groupSymbols = 50;
const codeBitsMax = 20;

class Bits {
  readonly #reader: ByteReader;
  #held = 0;
  #count = 0;

  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  read(count: number): number {
    let value = 0;
    for (let left = count; left > 0; ) {
      if (this.#count === 0) {
        this.#held = this.#reader.byte();
        this.#count = 8;
      }
      const now = Math.min(left, this.#count);
      this.#count -= now;
      value = value * 2 ** now + ((this.#held >> this.#count) & ((1 << now) - 1));
      left -= now;
    }
    return value;
  }

  align(): void {
    this.#count = 0;
  }

  get at(): number {
    return this.#reader.at;
  }
}

/** Canonical codes of one table: symbols in order of code, and where each length starts. */
interface Codes {
  readonly symbols: readonly number[];
  readonly limits: readonly number[];
  readonly offsets: readonly number[];
}

function codesOf(lengths: readonly number[]): Codes {
  const symbols: number[] = [];
  const limits: number[] = [];
  const offsets: number[] = [];
  let code = 0;
  for (let bits = 1; bits <= codeBitsMax; bits += 1) {
    offsets[bits] = symbols.length - code;
    for (const [symbol, length] of lengths.entries()) if (length === bits) symbols.push(symbol);
    code = symbols.length - (offsets[bits] ?? 0);
    limits[bits] = code;
    code *= 2;
  }
  return { symbols, limits, offsets };
}

function symbolOf(bits: Bits, codes: Codes): number {
  let code = 0;
  for (let length = 1; length <= codeBitsMax; length += 1) {
    code = code * 2 + bits.read(1);
    if (code >= (codes.limits[length] ?? 0)) continue;
    const symbol = codes.symbols[code + (codes.offsets[length] ?? 0)];
    if (symbol !== undefined) return symbol;
  }
  throw new Damaged("a code does not exist", bits.at);
}

/** Decodes all streams that follow each other. Source: the bzip2 format as described by Joe Tsai (2016). */
export function bunzip2(reader: ByteReader, out: Window): void {
  while (reader.left >= 4) {
    const at = reader.at;
    const head = Buffer.from(reader.take(4)).toString("latin1");
    const level = /^BZh([1-9])$/u.exec(head)?.[1];
    if (level === undefined) {
      reader.at = at;
      return;
    }
    const bits = new Bits(reader);
    for (let mark = bits.read(48); mark !== endMark; mark = bits.read(48)) {
      if (mark !== blockMark) throw new Damaged("a block does not begin", reader.at);
      block(bits, Number(level) * 100_000, out);
    }
    bits.read(32);
    bits.align();
  }
}

function block(bits: Bits, sizeMax: number, out: Window): void {
  bits.read(32);
  if (bits.read(1) !== 0) throw new Damaged("a block is randomised, as no writer does", bits.at);
  const origin = bits.read(24);
  const used = alphabet(bits);
  const tables = bits.read(3);
  const selectors = selectorsOf(bits, tables);
  const symbols = used.length + 2;
  const codes = Array.from({ length: tables }, () => codesOf(lengthsOf(bits, symbols)));
  const sorted = moveToFront({ bits, used, codes, selectors, sizeMax });
  if (origin >= sorted.length) throw new Damaged("a block starts outside of itself", bits.at);
  unsort(sorted, origin, out);
}

function alphabet(bits: Bits): number[] {
  const rows = bits.read(16);
  const used: number[] = [];
  for (let row = 0; row < 16; row += 1) {
    if ((rows & (0x8000 >> row)) === 0) continue;
    const marks = bits.read(16);
    for (let column = 0; column < 16; column += 1) if ((marks & (0x8000 >> column)) !== 0) used.push(row * 16 + column);
  }
  if (used.length === 0) throw new Damaged("a block has no symbols", bits.at);
  return used;
}

function selectorsOf(bits: Bits, tables: number): readonly number[] {
  const count = bits.read(15);
  if (tables < 2 || tables > 6 || count === 0) throw new Damaged("a block has no codes", bits.at);
  const order = Array.from({ length: tables }, (_, index) => index);
  return Array.from({ length: count }, () => {
    let place = 0;
    while (bits.read(1) === 1) place += 1;
    const [table] = order.splice(place, 1);
    if (table === undefined) throw new Damaged("a code table does not exist", bits.at);
    order.unshift(table);
    return table;
  });
}

function lengthsOf(bits: Bits, symbols: number): readonly number[] {
  let length = bits.read(5);
  return Array.from({ length: symbols }, () => {
    while (bits.read(1) === 1) length += bits.read(1) === 0 ? 1 : -1;
    if (length < 1 || length > codeBitsMax) throw new Damaged("a code has no length", bits.at);
    return length;
  });
}

interface Coded {
  readonly bits: Bits;
  readonly used: number[];
  readonly codes: readonly Codes[];
  readonly selectors: readonly number[];
  readonly sizeMax: number;
}

/** Huffman codes, runs of zeros and move-to-front, back to the sorted column. */
function moveToFront({ bits, used, codes, selectors, sizeMax }: Coded): Uint8Array {
  const column = new Uint8Array(sizeMax);
  const order = [...used];
  const end = used.length + 1;
  let size = 0;
  let run = 0;
  let weight = 1;
  for (let index = 0; ; index += 1) {
    const codesNow = codes[selectors[Math.floor(index / groupSymbols)] ?? -1];
    if (codesNow === undefined) throw new Damaged("codes run out", bits.at);
    const symbol = symbolOf(bits, codesNow);
    if (symbol < 2) {
      run += weight * (symbol + 1);
      weight *= 2;
      if (run > sizeMax) throw new Damaged("a block is larger than it may be", bits.at);
      continue;
    }
    if (size + run > sizeMax) throw new Damaged("a block is larger than it may be", bits.at);
    column.fill(order[0] ?? 0, size, size + run);
    size += run;
    run = 0;
    weight = 1;
    if (symbol === end) return column.subarray(0, size);
    const [byte] = order.splice(symbol - 1, 1);
    if (byte === undefined || size >= sizeMax) throw new Damaged("a block is larger than it may be", bits.at);
    order.unshift(byte);
    column[size] = byte;
    size += 1;
  }
}

/** The inverse of the Burrows-Wheeler transform: for each place the next one. */
function successors(column: Uint8Array): Uint32Array {
  const starts = new Uint32Array(257);
  for (const byte of column) starts[byte + 1] = (starts[byte + 1] ?? 0) + 1;
  for (let byte = 0; byte < 256; byte += 1) starts[byte + 1] = (starts[byte + 1] ?? 0) + (starts[byte] ?? 0);
  const next = new Uint32Array(column.length);
  for (const [index, byte] of column.entries()) {
    const place = starts[byte] ?? 0;
    next[place] = index;
    starts[byte] = place + 1;
  }
  return next;
}

/** Walks the transform backwards, and undoes the runs of four and a count. */
function unsort(column: Uint8Array, origin: number, out: Window): void {
  const next = successors(column);
  let at = next[origin] ?? 0;
  let previous = -1;
  let same = 0;
  for (let index = 0; index < column.length; index += 1) {
    const byte = column[at] ?? 0;
    at = next[at] ?? 0;
    if (same === 4) {
      for (let count = 0; count < byte; count += 1) out.put(previous);
      same = 0;
      previous = -1;
      continue;
    }
    same = byte === previous ? same + 1 : 1;
    previous = byte;
    out.put(byte);
  }
}
