const c1 = 0x239b961b;
const c2 = 0xab0e9789;
const c3 = 0x38b34ae5;
const c4 = 0xa1e38b93;

/**
 * 128-bit hashes of texts and rows of texts, as text of eight UTF-16 units. Not for secrets: who knows the function can
 * make two rows with one hash, so equal hashes of hostile rows must be followed by a comparison.
 * Source: MurmurHash3_x86_128 (Appleby 2011), over UTF-16 units two at a time, lengths included.
 */
export class RowHasher {
  readonly #state = new Uint32Array(4);
  readonly #units = new Uint16Array(8);
  #length = 0;

  begin(): void {
    this.#state.fill(0);
    this.#length = 0;
  }

  /** The length of the text enters too, so that `ab`, `c` is another row than `a`, `bc`. */
  add(text: string): void {
    this.#word(text.length, 0);
    for (let at = 0; at < text.length; at += 2) this.#word(text.charCodeAt(at) | ((at + 1 < text.length ? text.charCodeAt(at + 1) : 0) << 16), (at >> 1) + 1);
    this.#length += text.length + 1;
  }

  end(): string {
    const state = this.#state;
    for (let lane = 0; lane < 4; lane += 1) state[lane] = (state[lane] ?? 0) ^ this.#length;
    mixLanes(state);
    for (let lane = 0; lane < 4; lane += 1) state[lane] = finish(state[lane] ?? 0);
    mixLanes(state);
    for (let lane = 0; lane < 4; lane += 1) {
      this.#units[2 * lane] = state[lane] ?? 0;
      this.#units[2 * lane + 1] = (state[lane] ?? 0) >>> 16;
    }
    return String.fromCharCode(...this.#units);
  }

  of(texts: readonly string[]): string {
    this.begin();
    for (const text of texts) this.add(text);
    return this.end();
  }

  #word(value: number, position: number): void {
    const state = this.#state;
    const lane = (this.#length + position) & 3;
    const multiplier = [c1, c2, c3, c4][lane] ?? c1;
    const next = [c2, c3, c4, c1][lane] ?? c2;
    const mixed = Math.imul(rotate(Math.imul(value, multiplier), 15 + lane), next);
    const own = rotate((state[lane] ?? 0) ^ mixed, 19 - 2 * lane);
    state[lane] = Math.imul(own + (state[(lane + 1) & 3] ?? 0), 5) + 0x561ccd1b;
  }
}

function mixLanes(state: Uint32Array): void {
  const sum = (state[0] ?? 0) + (state[1] ?? 0) + (state[2] ?? 0) + (state[3] ?? 0);
  state[0] = sum;
  for (let lane = 1; lane < 4; lane += 1) state[lane] = (state[lane] ?? 0) + (state[0] ?? 0);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function finish(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
