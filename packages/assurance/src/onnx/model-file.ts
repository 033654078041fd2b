import { LicetError } from "@licet/contract";
import { type Field, fieldsOf, floatsOf, integersOf, malformed, textOf } from "./protobuf.ts";
import { type Tensor, unsupported } from "./tensor.ts";

/** What a model file may take before it is refused. */
export interface ModelBounds {
  readonly bytesMax: number;
  readonly nodesMax: number;
  readonly elementsMax: number;
}

export const modelBounds: ModelBounds = { bytesMax: 256 * 1024 * 1024, nodesMax: 10_000, elementsMax: 50_000_000 };

/** Axes of a tensor, attributes of a node, and names of one node: far above what any exporter writes. */
const dimsMax = 8;
const attributesMax = 200;
const portsMax = 10_000;

export interface Attribute {
  readonly name: string;
  readonly float: number;
  readonly integer: number;
  readonly text: string;
  readonly floats: readonly number[];
  readonly integers: readonly number[];
  readonly texts: readonly string[];
  readonly tensor: Tensor | undefined;
}

export interface ModelNode {
  readonly operator: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

export interface Port {
  readonly name: string;
  readonly elementType: number;
  /** Length of each dimension; undefined where the model leaves it open. */
  readonly dims: readonly (number | undefined)[];
}

export interface ModelFile {
  readonly nodes: readonly ModelNode[];
  readonly initializers: ReadonlyMap<string, Tensor>;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly opsets: ReadonlyMap<string, number>;
}

/**
 * Reads an ONNX file into its graph. External data, functions, subgraphs and sparse tensors are refused:
 * they would run or load what was not seen here. All input is hostile.
 * Throws `model_malformed`, `model_unsupported`, `model_too_large`. Source: onnx.proto3, IR version 3 to 12.
 */
export function parseModelFile(bytes: Uint8Array, bounds: ModelBounds = modelBounds): ModelFile {
  if (bytes.length > bounds.bytesMax) throw tooLarge(`it has more than ${bounds.bytesMax} bytes`);
  const opsets = new Map<string, number>();
  let graph: Uint8Array | undefined;
  for (const field of fieldsOf(bytes)) {
    if (field.number === 7) {
      // Others would merge the two, and run something that was not read here.
      if (graph !== undefined) throw malformed("it has two graphs");
      graph = field.bytes;
    }
    if (field.number === 8) readOpset(field, opsets);
    else if (field.number === 20 || field.number === 25) throw unsupported("the model carries functions or training graphs");
  }
  if (graph === undefined) throw malformed("it has no graph");
  return { ...readGraph(graph, bounds), opsets };
}

function readOpset(field: Field, opsets: Map<string, number>): void {
  let domain = "";
  let version = 0;
  for (const part of fieldsOf(field.bytes)) {
    if (part.number === 1) domain = textOf(part);
    else if (part.number === 2) version = part.integer;
  }
  opsets.set(domain === "ai.onnx" ? "" : domain, version);
}

function readGraph(graph: Uint8Array, bounds: ModelBounds): Omit<ModelFile, "opsets"> {
  const nodes: ModelNode[] = [];
  const initializers = new Map<string, Tensor>();
  const inputs: Port[] = [];
  const outputs: Port[] = [];
  let elements = 0;
  for (const field of fieldsOf(graph)) {
    if (field.number === 1) nodes.push(readNode(field.bytes, bounds));
    else if (field.number === 5) {
      const { name, tensor } = readTensor(field.bytes, bounds);
      elements += tensor.data.length;
      initializers.set(name, tensor);
    } else if (field.number === 11) inputs.push(readPort(field.bytes));
    else if (field.number === 12) outputs.push(readPort(field.bytes));
    else if (field.number === 15) throw unsupported("the model has sparse weights");
    if (nodes.length > bounds.nodesMax) throw tooLarge(`it has more than ${bounds.nodesMax} nodes`);
    if (elements > bounds.elementsMax) throw tooLarge(`it has more than ${bounds.elementsMax} weights`);
  }
  return { nodes, initializers, inputs: inputs.filter((port) => !initializers.has(port.name)), outputs };
}

function readNode(bytes: Uint8Array, bounds: ModelBounds): ModelNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, Attribute>();
  let operator = "";
  let domain = "";
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) inputs.push(textOf(field));
    else if (field.number === 2) outputs.push(textOf(field));
    else if (field.number === 4) operator = textOf(field);
    else if (field.number === 7) domain = textOf(field);
    else if (field.number === 5) {
      const attribute = readAttribute(field.bytes, bounds);
      if (attributes.has(attribute.name)) throw malformed(`a node has the attribute \`${attribute.name}\` twice`);
      attributes.set(attribute.name, attribute);
    }
    if (attributes.size > attributesMax || inputs.length > portsMax || outputs.length > portsMax) throw tooLarge("a node has too many attributes, inputs or outputs");
  }
  return { operator, domain: domain === "ai.onnx" ? "" : domain, inputs, outputs, attributes };
}

function readAttribute(bytes: Uint8Array, bounds: ModelBounds): Attribute {
  const floats: number[] = [];
  const integers: number[] = [];
  const texts: string[] = [];
  const single: { name: string; float: number; integer: number; text: string; tensor: Tensor | undefined } = {
    name: "", float: 0, integer: 0, text: "", tensor: undefined,
  };
  const readers = new Map<number, (field: Field) => void>([
    [1, (field) => void (single.name = textOf(field))],
    [2, (field) => void (single.float = floatsOf(field)[0] ?? 0)],
    [3, (field) => void (single.integer = field.integer)],
    [4, (field) => void (single.text = textOf(field))],
    [5, (field) => void (single.tensor = readTensor(field.bytes, bounds).tensor)],
    [7, (field) => append(floats, floatsOf(field))],
    [8, (field) => append(integers, integersOf(field))],
    [9, (field) => void texts.push(textOf(field))],
  ]);
  const refused = new Set([6, 10, 11, 21, 22, 23]);
  for (const field of fieldsOf(bytes)) {
    if (refused.has(field.number)) throw unsupported("the model has subgraphs or sparse attributes");
    readers.get(field.number)?.(field);
    if (floats.length + integers.length + texts.length > bounds.elementsMax) throw tooLarge(`a list has more than ${bounds.elementsMax} values`);
  }
  return { ...single, floats, integers, texts };
}

function append(target: number[], values: readonly number[]): void {
  for (const value of values) target.push(value);
}

interface RawTensor {
  name: string;
  type: number;
  dims: number[];
  raw: Uint8Array | undefined;
  floats: number[];
  doubles: number[];
  integers: number[];
  texts: string[];
}

function readTensor(bytes: Uint8Array, bounds: ModelBounds): { name: string; tensor: Tensor } {
  const found: RawTensor = { name: "", type: 0, dims: [], raw: undefined, floats: [], doubles: [], integers: [], texts: [] };
  const readers = new Map<number, (field: Field) => void>([
    [1, (field) => append(found.dims, integersOf(field))],
    [2, (field) => void (found.type = field.integer)],
    [4, (field) => append(found.floats, floatsOf(field))],
    [5, (field) => append(found.integers, integersOf(field))],
    [6, (field) => void found.texts.push(textOf(field))],
    [7, (field) => append(found.integers, integersOf(field))],
    [8, (field) => void (found.name = textOf(field))],
    [9, (field) => void (found.raw = field.bytes)],
    [10, (field) => append(found.doubles, rawDoubles(field.bytes))],
  ]);
  for (const field of fieldsOf(bytes)) {
    if (field.number === 13 || (field.number === 14 && field.integer !== 0)) throw unsupported("the model keeps weights in other files");
    readers.get(field.number)?.(field);
    if (found.dims.length > dimsMax || found.texts.length > bounds.elementsMax) throw tooLarge(`the tensor \`${found.name}\` has an impossible size`);
  }
  const size = found.dims.reduce((product, length) => product * length, 1);
  if (found.dims.some((length) => length < 0) || size > bounds.elementsMax) throw tooLarge(`the tensor \`${found.name}\` has an impossible size`);
  const tensor = typed(found);
  if (tensor.data.length !== size) throw malformed(`the tensor \`${found.name}\` does not fill its shape`);
  return { name: found.name, tensor };
}

function typed(found: RawTensor): Tensor {
  const { dims } = found;
  if (found.type === 1) return { kind: "float", dims, data: found.raw === undefined ? Float32Array.from(found.floats) : rawFloats(found.raw) };
  if (found.type === 7) return { kind: "int", dims, data: found.raw === undefined ? Float64Array.from(found.integers) : rawIntegers(found.raw) };
  if (found.type === 6 || found.type === 9) return { kind: "int", dims, data: found.raw === undefined ? Float64Array.from(found.integers) : rawSmallIntegers(found.raw, found.type === 6 ? 4 : 1) };
  if (found.type === 11) return { kind: "float", dims, data: found.raw === undefined ? narrowed(found.doubles) : narrowed(rawDoubles(found.raw)) };
  if (found.type === 8) return { kind: "string", dims, data: found.texts };
  throw unsupported(`the tensor \`${found.name}\` has element type ${found.type}`);
}

function rawFloats(raw: Uint8Array): Float32Array {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Float32Array.from({ length: Math.floor(raw.length / 4) }, (_, index) => view.getFloat32(index * 4, true));
}

/** int32 is four bytes wide, bool one. */
function rawSmallIntegers(raw: Uint8Array, bytes: 1 | 4): Float64Array {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Float64Array.from({ length: Math.floor(raw.length / bytes) }, (_, index) => (bytes === 1 ? view.getUint8(index) : view.getInt32(index * 4, true)));
}

function rawDoubles(raw: Uint8Array): readonly number[] {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Array.from({ length: Math.floor(raw.length / 8) }, (_, index) => view.getFloat64(index * 8, true));
}

/** Arithmetic here is 32 bits wide, so a weight that needs 64 would make another model. */
function narrowed(values: readonly number[]): Float32Array {
  if (values.some((value) => !Object.is(Math.fround(value), value))) throw unsupported("the model computes in 64 bits");
  return Float32Array.from(values);
}

function rawIntegers(raw: Uint8Array): Float64Array {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Float64Array.from({ length: Math.floor(raw.length / 8) }, (_, index) => Number(view.getBigInt64(index * 8, true)));
}

/** ValueInfo > type > tensor_type > shape > dim: fixed depth, so nothing recurses on hostile input. */
function readPort(bytes: Uint8Array): Port {
  let name = "";
  let elementType = 0;
  const dims: (number | undefined)[] = [];
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) name = textOf(field);
    if (field.number !== 2) continue;
    for (const part of nested(field, 1)) {
      if (part.number === 1) elementType = part.integer;
      if (part.number === 2) dims.push(...nestedDims(part));
    }
  }
  return { name, elementType, dims };
}

function nested(field: Field, number: number): Field[] {
  return [...fieldsOf(field.bytes)].filter((part) => part.number === number).flatMap((part) => [...fieldsOf(part.bytes)]);
}

function nestedDims(shape: Field): (number | undefined)[] {
  const dims = [...fieldsOf(shape.bytes)].filter((part) => part.number === 1);
  return dims.map((dim) => [...fieldsOf(dim.bytes)].find((part) => part.number === 1)?.integer);
}

function tooLarge(what: string): LicetError {
  return new LicetError("model_too_large", { message: `the model is too large: ${what}` });
}
