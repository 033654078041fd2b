import { type ByteReader, Damaged } from "../source.ts";
import type { Window } from "./window.ts";

const half = 1024;
const topBit = 2 ** 24;

/** Binary range decoder. Source: LZMA specification (Igor Pavlov, 2015). */
class RangeDecoder {
  readonly #reader: ByteReader;
  #range = 0xffffffff;
  #code = 0;

  constructor(reader: ByteReader) {
    this.#reader = reader;
    if (reader.byte() !== 0) throw new Damaged("compressed data do not begin", reader.at);
    for (let index = 0; index < 4; index += 1) this.#code = ((this.#code << 8) | reader.byte()) >>> 0;
  }

  bit(model: Uint16Array, index: number): number {
    const chance = model[index] ?? half;
    const bound = Math.imul(this.#range >>> 11, chance) >>> 0;
    if (this.#code < bound) {
      this.#range = bound;
      model[index] = chance + ((2048 - chance) >> 5);
      this.#normalise();
      return 0;
    }
    this.#range = (this.#range - bound) >>> 0;
    this.#code = (this.#code - bound) >>> 0;
    model[index] = chance - (chance >> 5);
    this.#normalise();
    return 1;
  }

  direct(bits: number): number {
    let value = 0;
    for (let index = 0; index < bits; index += 1) {
      this.#range >>>= 1;
      const taken = this.#code >= this.#range;
      if (taken) this.#code = (this.#code - this.#range) >>> 0;
      value = value * 2 + (taken ? 1 : 0);
      this.#normalise();
    }
    return value;
  }

  tree(model: Uint16Array, bits: number, from = 0): number {
    let node = 1;
    for (let index = 0; index < bits; index += 1) node = node * 2 + this.bit(model, from + node);
    return node - (1 << bits);
  }

  reverse(model: Uint16Array, bits: number, from = 0): number {
    let node = 1;
    let value = 0;
    for (let index = 0; index < bits; index += 1) {
      const bit = this.bit(model, from + node);
      node = node * 2 + bit;
      value |= bit << index;
    }
    return value;
  }

  #normalise(): void {
    if (this.#range >= topBit) return;
    this.#range = (this.#range << 8) >>> 0;
    this.#code = ((this.#code << 8) | this.#reader.byte()) >>> 0;
  }
}

function fresh(size: number): Uint16Array {
  return new Uint16Array(size).fill(half);
}

class LengthModel {
  readonly choice = fresh(2);
  readonly low = fresh(16 * 8);
  readonly middle = fresh(16 * 8);
  readonly high = fresh(256);

  read(range: RangeDecoder, position: number): number {
    if (range.bit(this.choice, 0) === 0) return 2 + range.tree(this.low, 3, position * 8);
    if (range.bit(this.choice, 1) === 0) return 10 + range.tree(this.middle, 3, position * 8);
    return 18 + range.tree(this.high, 8);
  }
}

/** Models and history of one LZMA stream; LZMA2 keeps them over its chunks. */
export class LzmaState {
  readonly #lc: number;
  readonly #lp: number;
  readonly #pb: number;
  readonly #literals: Uint16Array;
  readonly #isMatch = fresh(12 * 16);
  readonly #isRepeat = fresh(12);
  readonly #repeat0 = fresh(12);
  readonly #repeat1 = fresh(12);
  readonly #repeat2 = fresh(12);
  readonly #repeatLong = fresh(12 * 16);
  readonly #slots = fresh(4 * 64);
  readonly #distances = fresh(115);
  readonly #align = fresh(16);
  readonly #matchLengths = new LengthModel();
  readonly #repeatLengths = new LengthModel();
  readonly #recent = [0, 0, 0, 0];
  #state = 0;

  constructor(properties: number) {
    if (properties >= 225) throw new Damaged("the properties of compressed data do not exist", 0);
    this.#lc = properties % 9;
    this.#lp = Math.floor(properties / 9) % 5;
    this.#pb = Math.floor(properties / 45);
    this.#literals = fresh(0x300 << (this.#lc + this.#lp));
  }

  /** Decodes until `sizeMax` bytes are out, or the end marker. `from`: where the history begins. */
  decode(reader: ByteReader, out: Window, { sizeMax, from }: { readonly sizeMax: number; readonly from: number }): void {
    const range = new RangeDecoder(reader);
    while (out.size < sizeMax) {
      const position = (out.size - from) & ((1 << this.#pb) - 1);
      if (range.bit(this.#isMatch, this.#state * 16 + position) === 0) {
        this.#literal(range, out, from);
        continue;
      }
      const length = range.bit(this.#isRepeat, this.#state) === 0 ? this.#match(range, position) : this.#repeated(range, { out, position, from });
      if (length < 0) return;
      if (length > 0 && !out.repeat((this.#recent[0] ?? 0) + 1, Math.min(length, sizeMax - out.size), from)) throw new Damaged("a copy reaches before the data", reader.at);
    }
  }

  #literal(range: RangeDecoder, out: Window, from: number): void {
    const previous = out.size > from ? (out.bytes[out.size - 1] ?? 0) : 0;
    const place = (((out.size - from) & ((1 << this.#lp) - 1)) << this.#lc) + (previous >> (8 - this.#lc));
    const base = 0x300 * place;
    let symbol = 1;
    if (this.#state >= 7) {
      let match = out.bytes[out.size - (this.#recent[0] ?? 0) - 1] ?? 0;
      while (symbol < 0x100) {
        const bit = (match >> 7) & 1;
        match <<= 1;
        const read = range.bit(this.#literals, base + ((1 + bit) << 8) + symbol);
        symbol = symbol * 2 + read;
        if (bit !== read) break;
      }
    }
    while (symbol < 0x100) symbol = symbol * 2 + range.bit(this.#literals, base + symbol);
    out.put(symbol & 255);
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6;
  }

  /** A new distance; below zero at the end marker. */
  #match(range: RangeDecoder, position: number): number {
    const length = this.#matchLengths.read(range, position);
    this.#state = this.#state < 7 ? 7 : 10;
    const slot = range.tree(this.#slots, 6, Math.min(length - 2, 3) * 64);
    const distance = this.#distance(range, slot);
    this.#recent.pop();
    this.#recent.unshift(distance);
    return distance === 0xffffffff ? -1 : length;
  }

  #distance(range: RangeDecoder, slot: number): number {
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const base = (2 | (slot & 1)) * 2 ** bits;
    if (slot < 14) return base + range.reverse(this.#distances, bits, base - slot);
    return base + range.direct(bits - 4) * 16 + range.reverse(this.#align, 4);
  }

  #repeated(range: RangeDecoder, { out, position, from }: { readonly out: Window; readonly position: number; readonly from: number }): number {
    if (out.size === from) throw new Damaged("a copy reaches before the data", 0);
    if (range.bit(this.#repeat0, this.#state) === 0) {
      if (range.bit(this.#repeatLong, this.#state * 16 + position) === 0) {
        this.#state = this.#state < 7 ? 9 : 11;
        return 1;
      }
    } else {
      const which = range.bit(this.#repeat1, this.#state) === 0 ? 1 : range.bit(this.#repeat2, this.#state) === 0 ? 2 : 3;
      const [distance = 0] = this.#recent.splice(which, 1);
      this.#recent.unshift(distance);
    }
    this.#state = this.#state < 7 ? 8 : 11;
    return this.#repeatLengths.read(range, position);
  }
}

/** The format of `.lzma` files: properties, dictionary size, size or all ones, data. */
export function unlzma(reader: ByteReader, out: Window): void {
  const state = new LzmaState(reader.byte());
  reader.skip(4);
  const size = reader.u64();
  state.decode(reader, out, { sizeMax: size, from: 0 });
}

/** LZMA inside of a zip archive: version and length of the properties first, and the size in the directory. */
export function unlzmaEntry(reader: ByteReader, out: Window, size: number): void {
  reader.skip(4);
  const state = new LzmaState(reader.byte());
  reader.skip(4);
  state.decode(reader, out, { sizeMax: size, from: 0 });
  // With an end marker the range coder stands a few bytes before the end of the entry.
  if (out.size === size && reader.left < 16) reader.skip(reader.left);
}
