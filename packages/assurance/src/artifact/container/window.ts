/** More came out than a scan may hold; what came out so far is not used. */
export class TooMuch extends Error {}

/** Output of a decoder, which is also the history that it copies from. */
export class Window {
  bytes = new Uint8Array(65_536);
  size = 0;
  readonly #sizeMax: () => number;

  /** `sizeMax` is asked when the output grows, so that it may depend on how much was read. */
  constructor(sizeMax: () => number) {
    this.#sizeMax = sizeMax;
  }

  put(byte: number): void {
    if (this.size === this.bytes.length) this.#grow();
    this.bytes[this.size] = byte;
    this.size += 1;
  }

  /** False when the distance leaves what was written since `from`. */
  repeat(distance: number, length: number, from = 0): boolean {
    if (distance < 1 || distance > this.size - from) return false;
    for (let index = 0; index < length; index += 1) this.put(this.bytes[this.size - distance] ?? 0);
    return true;
  }

  #grow(): void {
    if (this.size >= this.#sizeMax()) throw new TooMuch("the output is larger than a scan may hold");
    const larger = new Uint8Array(this.bytes.length * 2);
    larger.set(this.bytes);
    this.bytes = larger;
  }
}
