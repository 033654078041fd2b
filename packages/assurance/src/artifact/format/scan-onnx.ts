import { leavesFolder } from "../container/zip-entry.ts";
import type { Layer } from "../layer.ts";
import { Damaged, type Source } from "../source.ts";
import { type Span, type WireField, wireFields, wireIntegers, wireText } from "./wire.ts";

const standardDomains = new Set(["", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview", "ai.onnx.preview.training"]);
const contributed = /^com\.(?:microsoft|ms)(?:\.\w+)*$/u;
/** Operators that hand tensors to code of the host. */
const hostOperators = new Set(["PyOp", "PythonOp", "PythonOpGrad", "PyFunc", "ATen", "OpaqueOp", "TorchEmbedding"]);
/** Bytes of one element by the number of the data type; 0: told otherwise. */
const elementBits: Readonly<Record<number, number>> = { 1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16, 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2 };
const depthMax = 64;
const modelFields = new Set([1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26]);
const branching = new Set(["If", "Loop", "Where"]);

/** Whether the bytes are fields of a ModelProto with a graph. */
export function isOnnx(source: Source): boolean {
  let graph = false;
  let version = false;
  try {
    for (const { number, wire } of wireFields(source, { start: 0, end: source.size })) {
      if (number === 7 && wire === 2) graph = true;
      else if (number === 1 && wire === 0) version = true;
      else if (!modelFields.has(number)) return graph && version;
    }
  } catch (fault) {
    if (!(fault instanceof Damaged)) throw fault;
    return graph && version;
  }
  return graph && version;
}

interface Model {
  readonly layer: Layer;
  readonly source: Source;
  /** Functions that the model brings along, as `domain name`. */
  readonly own: Set<string>;
  readonly told: Set<string>;
}

/** Source: ONNX IR specification and `onnx.proto3`; external data: CVE-2022-25882, CVE-2024-27318, CVE-2024-5187. */
export function scanOnnx(layer: Layer): void {
  layer.format = "onnx";
  const { source } = layer;
  const model: Model = { layer, source, own: new Set(), told: new Set() };
  const fields = [...wireFields(source, { start: 0, end: source.size })];
  for (const field of fields) {
    if (!modelFields.has(field.number)) layer.report("onnx.unknown", `the model has a field ${field.number} that no version of ONNX knows`, field.start);
    if (field.number === 25) declareFunction(model, field);
  }
  for (const field of fields) {
    if (field.number === 7) judgeGraph(model, field, 0);
    else if (field.number === 25) judgeFunction(model, field);
    else if (field.number === 20) judgeTraining(model, field);
  }
  layer.claimAll("onnx");
}

function once(model: Model, key: string): boolean {
  if (model.told.has(key)) return false;
  model.told.add(key);
  return true;
}

function declareFunction(model: Model, span: Span): void {
  let [name, domain] = ["", ""];
  for (const field of wireFields(model.source, span)) {
    if (field.number === 1) name = wireText(model.source, field);
    if (field.number === 10) domain = wireText(model.source, field);
  }
  model.own.add(`${domain} ${name}`);
}

function judgeFunction(model: Model, span: Span): void {
  for (const field of wireFields(model.source, span)) {
    if (field.number === 7) judgeNode(model, field, { depth: 1, constants: new Set() });
    if (field.number === 11) judgeAttribute(model, field, 1);
  }
}

function judgeTraining(model: Model, span: Span): void {
  for (const field of wireFields(model.source, span)) if (field.number === 1 || field.number === 2) judgeGraph(model, field, 1);
}

function judgeGraph(model: Model, span: Span, depth: number): void {
  if (depth > depthMax) throw new Damaged("graphs are nested too deep", span.start);
  const fields = [...wireFields(model.source, span)];
  const constants = new Set<string>();
  for (const field of fields) {
    if (field.number === 5) constants.add(judgeTensor(model, field));
    if (field.number === 15) judgeSparse(model, field);
  }
  for (const field of fields) {
    if (field.number !== 1) continue;
    if (!model.layer.step()) throw new Damaged("the graph has more nodes than a scan may follow", field.start);
    judgeNode(model, field, { depth, constants });
  }
}

function judgeSparse(model: Model, span: Span): void {
  for (const field of wireFields(model.source, span)) if (field.number === 1 || field.number === 2) judgeTensor(model, field);
}

function judgeNode(model: Model, span: Span, { depth, constants }: { readonly depth: number; readonly constants: Set<string> }): void {
  const fields = [...wireFields(model.source, span)];
  const texts = (number: number): readonly string[] => fields.filter((field) => field.number === number).map((field) => wireText(model.source, field));
  const [inputs, outputs] = [texts(1), texts(2)];
  const operator = texts(4).at(-1) ?? "";
  const domain = texts(7).at(-1) ?? "";
  for (const field of fields) if (field.number === 5) judgeAttribute(model, field, depth);
  judgeOperator(model, { operator, domain, at: span.start });
  const constant = inputs.length > 0 && inputs.every((input) => constants.has(input));
  if (operator === "Constant" || constant) for (const output of outputs) constants.add(output);
  if (branching.has(operator) && inputs[0] !== undefined && constants.has(inputs[0])) model.layer.report("onnx.branch", `a node \`${operator}\` decides on a constant`, span.start);
}

function judgeOperator(model: Model, { operator, domain, at }: { readonly operator: string; readonly domain: string; readonly at: number }): void {
  if (hostOperators.has(operator) && !standardDomains.has(domain)) model.layer.report("onnx.operator", `the operator \`${operator}\` runs code of the host`, at);
  if (standardDomains.has(domain) || model.own.has(`${domain} ${operator}`)) return;
  if (!once(model, domain)) return;
  if (contributed.test(domain)) model.layer.report("onnx.contrib", `operators of \`${domain}\` belong to one runtime`, at);
  else model.layer.report("onnx.domain", `the operator \`${domain}.${operator}\` is neither of ONNX nor brought along: it needs a library of somebody`, at);
}

function judgeAttribute(model: Model, span: Span, depth: number): void {
  for (const field of wireFields(model.source, span)) {
    if (field.number === 5 || field.number === 10) judgeTensor(model, field);
    else if (field.number === 6 || field.number === 11) judgeGraph(model, field, depth + 1);
    else if (field.number === 22 || field.number === 23) judgeSparse(model, field);
  }
}

interface TensorFacts {
  readonly dims: number[];
  type: number;
  name: string;
  raw: number | undefined;
  external: boolean;
  typed: boolean;
  readonly entries: { readonly key: string; readonly value: string }[];
}

function judgeTensor(model: Model, span: Span): string {
  const facts: TensorFacts = { dims: [], type: 0, name: "", raw: undefined, external: false, typed: false, entries: [] };
  for (const field of wireFields(model.source, span)) readTensorField(model, field, facts);
  const bits = elementBits[facts.type] ?? 0;
  const elements = facts.dims.reduce((product, side) => product * side, 1);
  if (facts.dims.some((side) => side < 0) || !Number.isSafeInteger(elements * Math.max(bits, 1))) throw new Damaged(`the shape of tensor \`${facts.name}\` overflows`, span.start);
  if (facts.raw !== undefined && !facts.external && bits > 0 && Math.ceil((elements * bits) / 8) !== facts.raw) throw new Damaged(`tensor \`${facts.name}\` has ${facts.raw} bytes and its shape needs ${Math.ceil((elements * bits) / 8)}`, span.start);
  if (facts.external || facts.entries.length > 0) judgeExternal(model, facts, span.start);
  return facts.name;
}

function readTensorField(model: Model, field: WireField, facts: TensorFacts): void {
  if (field.number === 1) facts.dims.push(...wireIntegers(model.source, field));
  else if (field.number === 2) facts.type = field.integer;
  else if (field.number === 8) facts.name = wireText(model.source, field);
  else if (field.number === 9) facts.raw = field.end - field.start;
  else if (field.number === 14) facts.external = field.integer === 1;
  else if (field.number === 13) facts.entries.push(pairOf(model, field));
}

function pairOf(model: Model, span: Span): { readonly key: string; readonly value: string } {
  let [key, value] = ["", ""];
  for (const field of wireFields(model.source, span)) {
    if (field.number === 1) key = wireText(model.source, field);
    if (field.number === 2) value = wireText(model.source, field);
  }
  return { key, value };
}

const externalKeys = new Set(["location", "offset", "length", "checksum", "basepath"]);

function judgeExternal(model: Model, { name, entries }: TensorFacts, at: number): void {
  const locations = entries.filter(({ key }) => key === "location");
  const unknown = entries.find(({ key }) => !externalKeys.has(key));
  if (unknown !== undefined) model.layer.report("onnx.external", `tensor \`${name}\` sets the key \`${unknown.key}\` of its external data (CVE-2025-51480 class)`, at);
  if (locations.length !== 1) model.layer.report("onnx.external", `tensor \`${name}\` names ${locations.length} places for its data`, at);
  for (const { value } of [...locations, ...entries.filter(({ key }) => key === "basepath")]) {
    if (leavesFolder(value) || /^[A-Za-z][\w+.-]*:|[%~$]/u.test(value)) model.layer.report("onnx.external", `the data of tensor \`${name}\` would be read from \`${value}\``, at);
    else if (once(model, `external ${value}`)) model.layer.report("onnx.external.unseen", `tensors are kept in \`${value}\`, which is not part of this file`, at);
  }
  for (const { key, value } of entries) {
    if ((key === "offset" || key === "length") && !(/^\d{1,15}$/u.test(value))) model.layer.report("onnx.external", `the ${key} of tensor \`${name}\` is \`${value}\``, at);
  }
}
