import type { Attribute, ModelNode } from "./model-file.ts";
import { malformed } from "./protobuf.ts";
import { joined } from "./shape.ts";
import { floats, only, type Operator, present, room, type Tensor, unsupported } from "./tensor.ts";

/** Feature preparation of the `ai.onnx.ml` domain. Source: ONNX ai.onnx.ml operator set, versions 1 to 4. */

/** Puts a fixed value per column where the value is missing: NaN, or the stated replacement mark. */
export function imputer(node: ModelNode): Operator {
  const floatsOf = node.attributes.get("imputed_value_floats")?.floats ?? [];
  const values = floatsOf.length > 0 ? floatsOf : (node.attributes.get("imputed_value_int64s")?.integers ?? []);
  const mark = node.attributes.get("replaced_value_float")?.float ?? node.attributes.get("replaced_value_int64")?.integer ?? 0;
  return ([x]) => {
    const { rows, columns, data } = only(x);
    if (values.length !== columns && values.length !== 1) throw malformed("an Imputer does not fit its input");
    const missing = Number.isNaN(mark) ? (value: number) => value !== value : (value: number) => value === mark;
    return [floats([rows, columns], data.map((value, index) => (missing(value) ? (values[values.length === 1 ? 0 : index % columns] ?? Number.NaN) : value)))];
  };
}

/** One column per category. A value that is no category gives zeros, or is refused where the model says so. */
export function oneHotEncoder(node: ModelNode): Operator {
  const texts = node.attributes.get("cats_strings")?.texts ?? [];
  const keys: readonly (string | number)[] = texts.length > 0 ? texts : (node.attributes.get("cats_int64s")?.integers ?? []);
  const zeros = (node.attributes.get("zeros")?.integer ?? 1) === 1;
  const places = new Map(keys.map((key, index) => [key, index]));
  if (keys.length === 0 || places.size !== keys.length) throw malformed("a OneHotEncoder has no categories, or one twice");
  return ([x]) => {
    const input = present(x);
    if ((input.dims[1] ?? 1) !== 1) throw unsupported("a OneHotEncoder takes more than one column");
    const data = room(input.data.length, keys.length);
    for (const [row, value] of input.data.entries()) {
      const place = places.get(typeof value === "number" ? Math.trunc(value) : value);
      if (place !== undefined) data[row * keys.length + place] = 1;
      else if (!zeros) throw malformed("a value is none of the categories, and the model refuses such values");
    }
    return [floats([input.data.length, keys.length], data)];
  };
}

const labelKinds = [
  { list: "strings", kind: "string", read: (attribute: Attribute) => attribute.texts, fallback: (node: ModelNode) => node.attributes.get("default_string")?.text ?? "_Unused" },
  { list: "int64s", kind: "int", read: (attribute: Attribute) => attribute.integers, fallback: (node: ModelNode) => node.attributes.get("default_int64")?.integer ?? -1 },
  { list: "floats", kind: "float", read: (attribute: Attribute) => attribute.floats, fallback: (node: ModelNode) => node.attributes.get("default_float")?.float ?? -0 },
] as const;

/** Replaces each value by the one beside it in a list. NaN is a key like another. */
export function labelEncoder(node: ModelNode): Operator {
  const keys = labelList(node, "keys");
  const values = labelList(node, "values");
  if (keys.items.length !== values.items.length) throw malformed("a LabelEncoder has another number of keys than of values");
  const table = new Map<string | number, string | number>();
  for (const [index, key] of keys.items.entries()) {
    const value = values.items[index];
    if (value !== undefined) table.set(key, value);
  }
  return ([x]) => {
    const input = present(x);
    const asked: readonly (string | number)[] = [...input.data];
    const mapped = asked.map((value) => table.get(value) ?? values.fallback);
    return [tensorOf(values.kind, input.dims, mapped)];
  };
}

function labelList(node: ModelNode, prefix: "keys" | "values") {
  for (const { list, kind, read, fallback } of labelKinds) {
    const attribute = node.attributes.get(`${prefix}_${list}`);
    if (attribute !== undefined) return { kind, items: [...read(attribute)], fallback: fallback(node) };
  }
  throw unsupported("a LabelEncoder keeps its list in another form than strings, int64s or floats");
}

function tensorOf(kind: Tensor["kind"], dims: readonly number[], values: readonly (string | number)[]): Tensor {
  if (kind === "string") return { kind, dims, data: values.map(String) };
  return kind === "int" ? { kind, dims, data: Float64Array.from(values, Number) } : { kind, dims, data: Float32Array.from(values, Number) };
}

export function binarizer(node: ModelNode): Operator {
  const threshold = node.attributes.get("threshold")?.float ?? 0;
  return ([x]) => {
    const { rows, columns, data } = only(x);
    return [floats([rows, columns], data.map((value) => (value > threshold ? 1 : 0)))];
  };
}

/** Chosen columns, in the order of the indices. */
export function arrayFeatureExtractor(): Operator {
  return ([x, indices]) => {
    const { rows, columns, data } = only(x);
    const chosen = [...present(indices).data].map(Number);
    if (chosen.some((column) => !Number.isInteger(column) || column < 0 || column >= columns)) throw malformed("a column is taken that is not there");
    const result = room(rows, chosen.length);
    for (let row = 0; row < rows; row += 1) {
      for (const [place, column] of chosen.entries()) result[row * chosen.length + place] = data[row * columns + column] ?? Number.NaN;
    }
    return [floats([rows, chosen.length], result)];
  };
}

export function featureVectorizer(): Operator {
  return (inputs) => [joined(inputs.map(present).map((input) => (input.kind === "int" ? floats(input.dims, Float32Array.from(input.data)) : input)))];
}
