import type { Layer } from "../layer.ts";
import { ByteReader, Damaged } from "../source.ts";

const depthMax = 128;
const widths: Readonly<Record<string, number>> = { i: 1, U: 1, I: 2, l: 4, L: 8, d: 4, D: 8, C: 1, Z: 0, T: 0, F: 0, N: 0 };

/** An object whose first key has its length as a UBJSON integer: what XGBoost writes. */
export function isUbjson(head: Uint8Array): boolean {
  return head[0] === 0x7b && ["i", "U", "I", "l", "L"].includes(String.fromCodePoint(head[1] ?? 0)) && Buffer.from(head.subarray(2, 40)).includes("learner");
}

/** Source: Universal Binary JSON draft 12, with the strongly typed arrays that XGBoost uses; big endian. */
export function scanUbjson(layer: Layer): void {
  layer.format = "xgboost-ubjson";
  const reader = new ByteReader(layer.source);
  new UbjsonReader(layer, reader).value(String.fromCodePoint(reader.byte()), 0);
  layer.claims.claim(0, reader.at, "ubjson");
  if (reader.left > 0) throw new Damaged(`${reader.left} bytes follow the model`, reader.at);
}

class UbjsonReader {
  readonly #layer: Layer;
  readonly #reader: ByteReader;

  constructor(layer: Layer, reader: ByteReader) {
    this.#layer = layer;
    this.#reader = reader;
  }

  value(mark: string, depth: number): void {
    if (depth > depthMax) throw new Damaged("values are nested too deep", this.#reader.at);
    if (!this.#layer.step()) throw new Damaged("the file has more values than a scan may follow", this.#reader.at);
    const width = widths[mark];
    if (width !== undefined) this.#reader.skip(width);
    else if (mark === "S" || mark === "H") this.#reader.skip(this.#length(this.#mark()));
    else if (mark === "{") this.#object(depth);
    else if (mark === "[") this.#array(depth);
    else throw new Damaged(`a value of the kind \`${mark}\` does not exist`, this.#reader.at - 1);
  }

  #mark(): string {
    return String.fromCodePoint(this.#reader.byte());
  }

  #length(mark: string): number {
    const bytes = { i: 1, U: 1, I: 2, l: 4, L: 8 }[mark];
    if (bytes === undefined) throw new Damaged("a length is no integer", this.#reader.at);
    const length = this.#reader.take(bytes).reduce((value, byte) => value * 256 + byte, 0);
    if (length > this.#reader.left) throw new Damaged("a length leaves the data", this.#reader.at);
    return length;
  }

  #object(depth: number): void {
    for (let mark = this.#mark(); mark !== "}"; mark = this.#mark()) {
      this.#reader.skip(this.#length(mark));
      this.value(this.#mark(), depth + 1);
    }
  }

  #array(depth: number): void {
    let mark = this.#mark();
    let type: string | undefined;
    if (mark === "$") {
      type = this.#mark();
      mark = this.#mark();
    }
    if (mark !== "#") {
      for (; mark !== "]"; mark = this.#mark()) this.value(mark, depth + 1);
      return;
    }
    const count = this.#length(this.#mark());
    const width = type === undefined ? undefined : widths[type];
    if (width !== undefined) this.#reader.skip(count * width);
    else for (let index = 0; index < count; index += 1) this.value(type ?? this.#mark(), depth + 1);
  }
}
