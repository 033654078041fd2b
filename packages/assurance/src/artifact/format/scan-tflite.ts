import type { Layer } from "../layer.ts";
import { ByteReader, Damaged, type Source } from "../source.ts";

const customOperator = 32;
const operatorsMax = 100_000;
const nameBytesMax = 1000;
/** Custom operators that the runtime itself brings. */
const known = new Set(["TFLite_Detection_PostProcess", "Mfcc", "AudioSpectrogram", "NumericVerify", "MaxPoolingWithArgmax2D", "MaxUnpooling2D", "Convolution2DTransposeBias", "TransformTensorBilinear", "TransformLandmarks", "RoiToTransformMatrix", "TFLite_Detection_PostProcess_Edge"]);
const refused = /^Flex(?:ReadFile|WriteFile|PyFunc|PyFuncStateless|EagerPyFunc|Print|PrintV2|MatchingFiles|WholeFileReader\w*|TextLine\w*|TFRecord\w*|CreateSummary\w*|Rpc\w*|DataService\w*|Save\w*|Load\w*|DebugIdentity\w*)$/u;

export function isTflite(source: Source): boolean {
  return Buffer.from(source.read(4, 4)).toString("latin1") === "TFL3";
}

/** A table of a FlatBuffer. Source: FlatBuffers internals; TensorFlow Lite `schema.fbs`. */
class Table {
  readonly #source: Source;
  readonly #at: number;
  readonly #fields: number;
  readonly #vtable: number;

  constructor(source: Source, at: number) {
    this.#source = source;
    this.#at = at;
    const offset = new ByteReader(source, at).u32() | 0;
    this.#vtable = at - offset;
    if (this.#vtable < 0 || this.#vtable + 4 > source.size) throw new Damaged("a table has no layout", at);
    this.#fields = (new ByteReader(source, this.#vtable).u16() - 4) / 2;
  }

  place(field: number): number | undefined {
    if (field >= this.#fields) return undefined;
    const offset = new ByteReader(this.#source, this.#vtable + 4 + field * 2).u16();
    return offset === 0 ? undefined : this.#at + offset;
  }

  /** Where a vector or text starts, at its count. */
  target(field: number): number | undefined {
    const place = this.place(field);
    return place === undefined ? undefined : place + new ByteReader(this.#source, place).u32();
  }

  tables(field: number): readonly Table[] {
    const start = this.target(field);
    if (start === undefined) return [];
    const reader = new ByteReader(this.#source, start);
    const count = reader.u32();
    if (count > operatorsMax || count * 4 > reader.left) throw new Damaged("a list leaves the file", start);
    return Array.from({ length: count }, () => {
      const at = reader.at;
      return new Table(this.#source, at + reader.u32());
    });
  }

  text(field: number): string {
    const start = this.target(field);
    if (start === undefined) return "";
    const reader = new ByteReader(this.#source, start);
    const length = reader.u32();
    if (length > nameBytesMax) throw new Damaged("a name is longer than any real one", start);
    return Buffer.from(reader.take(length)).toString("utf8");
  }

  byte(field: number): number {
    const place = this.place(field);
    return place === undefined ? 0 : new ByteReader(this.#source, place).byte();
  }

  integer(field: number): number {
    const place = this.place(field);
    return place === undefined ? 0 : new ByteReader(this.#source, place).u32();
  }
}

/** Reads the list of operators: those of the runtime are data, custom ones are code that the file does not hold. */
export function scanTflite(layer: Layer): void {
  layer.format = "tflite";
  const model = new Table(layer.source, new ByteReader(layer.source, 0).u32());
  for (const operator of model.tables(1)) {
    const custom = operator.text(1);
    const builtin = Math.max(operator.byte(0), operator.integer(3));
    if (builtin !== customOperator && custom === "") continue;
    if (refused.test(custom)) layer.report("tflite.operator", `the operator \`${custom}\` reaches files, networks or Python`);
    else if (!custom.startsWith("Flex") && !known.has(custom)) layer.report("tflite.custom", `the operator \`${custom}\` is code that the file does not hold`);
  }
  for (const graph of model.tables(2)) graph.tables(0);
  layer.claimAll("tflite");
}
