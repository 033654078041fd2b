import type { ModelFile } from "./model-file.ts";
import { unsupported } from "./tensor.ts";

/** An input of a model that takes rows of numbers. */
export interface Input {
  readonly name: string;
  readonly kind: "float" | "int";
  /** Bits of an integer. */
  readonly bits: 32 | 64;
  readonly width: number | undefined;
}

const inputsMax = 4096;
const inputKinds: ReadonlyMap<number, Pick<Input, "kind" | "bits">> = new Map([[1, { kind: "float", bits: 32 }], [6, { kind: "int", bits: 32 }], [7, { kind: "int", bits: 64 }]]);

/** One table, or several (converters write one per column): then each must say how wide it is. Throws `model_unsupported`. */
export function inputsOf(file: ModelFile): { readonly inputs: readonly Input[]; readonly width: number | undefined } {
  const ports = file.inputs;
  if (ports.length === 0 || ports.length > inputsMax) throw unsupported(`the model has ${ports.length} inputs`);
  const inputs = ports.map((port): Input => {
    const kind = inputKinds.get(port.elementType);
    if (kind === undefined || port.dims.length !== 2) throw unsupported(`the model's input \`${port.name}\` is not a numeric table of rows by features`);
    if (ports.length > 1 && port.dims[1] === undefined) throw unsupported(`the model's input \`${port.name}\` does not say how many features it takes`);
    return { name: port.name, ...kind, width: port.dims[1] };
  });
  return { inputs, width: inputs.reduce<number | undefined>((sum, { width }) => (sum === undefined || width === undefined ? undefined : sum + width), 0) };
}
