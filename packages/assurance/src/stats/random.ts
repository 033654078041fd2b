import { createHash } from "node:crypto";

const two32 = 4_294_967_296;
const two53 = 9_007_199_254_740_992;
/** Up to here the product of a 32-bit number and `n` is exact in a double. */
const productMax = 2_097_152;

/** An array of numbers that can be reordered in place. */
export type Reorderable = Float64Array | Float32Array | Int32Array | Uint32Array | Uint16Array | Uint8Array | number[];

/**
 * Pseudo-random numbers that are the same on every platform for the same seed.
 * Source: xoshiro256** 1.0, Blackman & Vigna 2018 (arXiv:1805.01407). Not for secrets.
 */
export class Random {
  /** Four 64-bit words, each as high half, low half. Only `next` writes it. */
  readonly #state: Uint32Array;
  #high = 0;
  #low = 0;
  #spare: number | undefined;

  /** `words`: four 64-bit words as high half, low half; at least one must not be 0. */
  constructor(words: Uint32Array) {
    this.#state = Uint32Array.from({ length: 8 }, (_, index) => words[index] ?? 0);
  }

  /** The next 64 bits as high and low half. */
  bits(): readonly [number, number] {
    this.#next();
    return [this.#high, this.#low];
  }

  /** Uniform on [0, 1) with 53 bits. */
  uniform(): number {
    this.#next();
    return (this.#high * productMax + (this.#low >>> 11)) / two53;
  }

  /** Uniform on 0, 1, …, n - 1, without bias; n is an integer from 1 to 2^53. Source: Lemire 2019 (arXiv:1805.10941). */
  below(n: number): number {
    if (n > productMax) return this.#belowLarge(n);
    this.#next();
    let product = this.#high * n;
    let value = Math.floor(product / two32);
    if (product - value * two32 < n) {
      const rejected = two32 % n;
      while (product - value * two32 < rejected) {
        this.#next();
        product = this.#high * n;
        value = Math.floor(product / two32);
      }
    }
    return value;
  }

  /** Standard normal. Source: Marsaglia's polar method (Marsaglia & Bray 1964); its second value comes with the next call. */
  normal(): number {
    if (this.#spare !== undefined) {
      const spare = this.#spare;
      this.#spare = undefined;
      return spare;
    }
    for (;;) {
      const first = 2 * this.uniform() - 1;
      const second = 2 * this.uniform() - 1;
      const square = first * first + second * second;
      if (square >= 1 || square === 0) continue;
      const scale = Math.sqrt((-2 * Math.log(square)) / square);
      this.#spare = second * scale;
      return first * scale;
    }
  }

  /** Reorders in place, every order equally likely. Source: Fisher-Yates (Durstenfeld 1964). */
  permute(values: Reorderable): void {
    for (let last = values.length - 1; last > 0; last -= 1) {
      const other = this.below(last + 1);
      const moved = values[last] ?? 0;
      values[last] = values[other] ?? 0;
      values[other] = moved;
    }
  }

  #belowLarge(n: number): number {
    const accepted = two53 - (two53 % n);
    for (;;) {
      const value = this.uniform() * two53;
      if (value < accepted) return value % n;
    }
  }

  #next(): void {
    const state = this.#state;
    // Read one by one: destructuring a typed array goes through its iterator.
    const h0 = state[0] ?? 0;
    const l0 = state[1] ?? 0;
    const h1 = state[2] ?? 0;
    const l1 = state[3] ?? 0;
    this.#scramble(h1, l1);
    const x2h = (state[4] ?? 0) ^ h0;
    const x2l = (state[5] ?? 0) ^ l0;
    const x3h = (state[6] ?? 0) ^ h1;
    const x3l = (state[7] ?? 0) ^ l1;
    state[0] = h0 ^ x3h;
    state[1] = l0 ^ x3l;
    state[2] = h1 ^ x2h;
    state[3] = l1 ^ x2l;
    state[4] = x2h ^ ((h1 << 17) | (l1 >>> 15));
    state[5] = x2l ^ (l1 << 17);
    // A rotation by 45 is one by 13 with the halves exchanged.
    state[6] = (x3l << 13) | (x3h >>> 19);
    state[7] = (x3h << 13) | (x3l >>> 19);
  }

  /** rotl(word * 5, 7) * 9. */
  #scramble(high: number, low: number): void {
    const low5 = low * 5;
    const l5 = low5 >>> 0;
    const h5 = (high * 5 + Math.floor(low5 / two32)) >>> 0;
    const h7 = ((h5 << 7) | (l5 >>> 25)) >>> 0;
    const l7 = ((l5 << 7) | (h5 >>> 25)) >>> 0;
    const low9 = l7 * 9;
    this.#low = low9 >>> 0;
    this.#high = (h7 * 9 + Math.floor(low9 / two32)) >>> 0;
  }
}

/** A generator whose 256 bits of state are the SHA-256 of the seed's UTF-8 text, read as four big-endian words. */
export function randomFrom(seed: string): Random {
  const digest = createHash("sha256").update(seed, "utf8").digest();
  return new Random(Uint32Array.from({ length: 8 }, (_, index) => digest.readUInt32BE(4 * index)));
}

/** 0, 1, …, n - 1 in random order. */
export function permutation(random: Random, n: number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, index) => index);
  random.permute(order);
  return order;
}

/** Fills `into` with n draws with replacement from 0, 1, …, n - 1, where n is its length unless given. */
export function bootstrapIndices(random: Random, into: Uint32Array, n: number = into.length): Uint32Array {
  for (let index = 0; index < into.length; index += 1) into[index] = random.below(n);
  return into;
}
