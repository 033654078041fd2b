import { type Machine } from "./machine.ts";
import { type Dict, type Value, integerIn, integersIn, textIn } from "./value.ts";

/**
 * The raw array that joblib writes right after the state of its wrapper: one byte that counts padding, the padding,
 * then the elements. Arrays of objects follow as a pickle of their own, which joblib hands to plain \`pickle.load\`.
 * Source: joblib 0.10 to 1.6, \`numpy_pickle.NumpyArrayWrapper.read_array\`.
 */
export function readInlineArray(machine: Machine, state: Dict): Value {
  const { reader } = machine;
  const held = (name: string): Value | undefined => state.entries.find(([key]) => textIn(key) === name)?.[1];
  const type = held("dtype");
  const element = type?.kind === "instance" ? type.element : undefined;
  const shape = integersIn(held("shape"));
  if (element === undefined || shape === undefined || shape.some((side) => side < 0)) throw machine.damaged("an array has no known type or shape");
  machine.firstArray ??= { at: reader.at, stack: [...machine.stack, { kind: "instance", of: "joblib.numpy_pickle NumpyArrayWrapper" }], marks: [...machine.marks], memo: new Map(machine.memo) };
  if (element.holdsObjects) return { kind: "instance", of: "numpy ndarray pickled" };
  const alignment = integerIn(held("numpy_array_alignment_bytes"));
  if (alignment !== undefined) {
    const padding = reader.byte();
    if (padding > Math.max(alignment, 0)) throw machine.damaged("an array is padded more than its alignment asks for");
    reader.skip(padding);
  }
  reader.skip(shape.reduce((product, side) => product * side, 1) * element.itemBytes);
  return { kind: "instance", of: "numpy ndarray" };
}
