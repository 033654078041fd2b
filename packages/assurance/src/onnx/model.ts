import { LicetError } from "@licet/contract";
import { type ModelBounds, modelBounds, type ModelFile, type ModelNode, parseModelFile, type Port } from "./model-file.ts";
import { type Input, inputsOf } from "./model-inputs.ts";
import { prepareOperator } from "./operators.ts";
import { malformed } from "./protobuf.ts";
import { type Structure, structureOf } from "./structure.ts";
import { floats, type Operator, type Tensor } from "./tensor.ts";

/** Rows computed at a time, so that memory does not grow with the data set. */
const batchRowsMax = 1024;

/** Scores of every row for every class, row by row. With one class there is one score for the positive one. */
export interface ClassScores {
  readonly classes: readonly string[];
  readonly rows: number;
  readonly scores: Float32Array;
}

/** An ONNX model that takes rows of numeric features, ready to be scored in this process. */
export interface Model {
  /** Names of the inputs; features are dealt to them in order. */
  readonly inputs: readonly string[];
  /** Weights and trees, where the graph is a linear model, a ReLU network or a tree ensemble. Computed when asked for. */
  readonly structure: () => Structure;
  /** Number of features; undefined where the model leaves it open. */
  readonly width: number | undefined;
  readonly outputs: readonly string[];
  readonly operators: readonly string[];
  /** Outputs for `rows` rows of features, row by row. Throws `model_input_mismatch`, `model_malformed`. */
  run(features: Float32Array, rows: number): ReadonlyMap<string, Tensor>;
  /** The one output that holds class scores. Throws `model_output_unclear` when that cannot be told. */
  score(features: Float32Array, rows: number): ClassScores;
}

interface Step {
  readonly node: ModelNode;
  readonly operator: Operator;
}

/**
 * Loads an ONNX model into a pure TypeScript interpreter: no native code, the same bits on every machine.
 * Every operator is checked here, before any row is scored. All input is hostile.
 * Throws `model_malformed`, `model_unsupported`, `model_operator_unknown`, `model_too_large`.
 *
 * Arithmetic: sums in double precision, rounded to 32 bits after each operator; ONNX Runtime differs by about 1e-7.
 */
export function loadModel(bytes: Uint8Array, bounds: ModelBounds = modelBounds): Model {
  const file = parseModelFile(bytes, bounds);
  const { inputs, width } = inputsOf(file);
  const steps = stepsOf(file);
  const run = (features: Float32Array, rows: number) => runAll({ file, steps, inputs, width, features, rows });
  return {
    inputs: inputs.map(({ name }) => name),
    structure: () => structureOf(file),
    width,
    outputs: file.outputs.map((port) => port.name),
    operators: [...new Set(file.nodes.map((node) => node.operator))],
    run,
    score: (features, rows) => inBatches(features, rows, (part, count) => classScores(run(part, count), count)),
  };
}

/** Every value is made once and used after it was made, so a graph cannot run in a ring. */
function stepsOf(file: ModelFile): readonly Step[] {
  const made = new Set([...file.initializers.keys(), ...file.inputs.map(({ name }) => name)]);
  return file.nodes.map((node) => {
    for (const name of node.inputs) if (name !== "" && !made.has(name)) throw malformed(`the value \`${name}\` is used before it is computed`);
    for (const name of node.outputs) {
      if (name !== "" && made.has(name)) throw malformed(`the value \`${name}\` is computed twice`);
      made.add(name);
    }
    return { node, operator: prepareOperator(node, file.opsets) };
  });
}

interface Work {
  readonly file: ModelFile;
  readonly steps: readonly Step[];
  readonly inputs: readonly Input[];
  readonly width: number | undefined;
  readonly features: Float32Array;
  readonly rows: number;
}

function runAll(work: Work): ReadonlyMap<string, Tensor> {
  const { file, rows } = work;
  const values = new Map<string, Tensor>(file.initializers);
  dealInputs(work, values);
  for (const { node, operator } of work.steps) {
    const results = operator(node.inputs.map((name) => (name === "" ? undefined : valueOf(values, name))));
    for (const [index, name] of node.outputs.entries()) {
      const result = results[index];
      if (result === undefined) throw malformed(`the operator \`${node.operator}\` has too many outputs`);
      if (name !== "") values.set(name, result);
    }
  }
  return new Map(file.outputs.map((port) => [port.name, checkedOutput(valueOf(values, port.name), port, rows)]));
}

function widthOf(work: Work): number {
  const { features, rows } = work;
  const width = rows === 0 ? (work.width ?? 0) : features.length / rows;
  if (!Number.isInteger(width) || (work.width ?? width) !== width || features.length !== rows * width) {
    throw new LicetError("model_input_mismatch", {
      message: `the model takes ${work.width ?? "some"} features and the rows have ${width}: name the columns under \`features\``,
      at: { expected: work.width ?? null, found: width },
    });
  }
  return width;
}

function dealInputs(work: Work, values: Map<string, Tensor>): void {
  const { inputs, features, rows } = work;
  const width = widthOf(work);
  let start = 0;
  for (const { name, kind, width: own } of inputs) {
    const columns = own ?? width;
    const data = inputs.length === 1 ? features : columnsOf(work, { width, start, columns });
    values.set(name, kind === "float" ? floats([rows, columns], data) : { kind, dims: [rows, columns], data: Float64Array.from(data, Math.trunc) });
    start += columns;
  }
}

function columnsOf({ features, rows }: Work, taken: { width: number; start: number; columns: number }): Float32Array {
  const data = new Float32Array(rows * taken.columns);
  for (let row = 0; row < rows; row += 1) {
    const from = row * taken.width + taken.start;
    data.set(features.subarray(from, from + taken.columns), row * taken.columns);
  }
  return data;
}

function valueOf(values: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const value = values.get(name);
  if (value === undefined) throw malformed(`the value \`${name}\` is used before it is computed`);
  return value;
}

/** A graph may mix up rows through a badly shaped weight; then its output has another length. */
function checkedOutput(tensor: Tensor, port: Port, rows: number): Tensor {
  if ((tensor.dims[0] ?? 1) !== rows) throw malformed(`the output \`${port.name}\` does not have one row per input row`);
  return tensor;
}

function classScores(outputs: ReadonlyMap<string, Tensor>, rows: number): ClassScores {
  const tables = [...outputs].flatMap(([name, tensor]) => (tensor.kind === "float" ? [{ name, tensor }] : []));
  const labelled = tables.filter(({ tensor }) => tensor.classes !== undefined);
  const candidates = labelled.length > 0 ? labelled : tables;
  const [found, other] = candidates;
  if (found === undefined || other !== undefined) {
    throw new LicetError("model_output_unclear", {
      message: `the model has ${candidates.length} outputs that could be scores: export it with one`,
      at: { outputs: candidates.map(({ name }) => name) },
    });
  }
  const columns = found.tensor.dims.length > 1 ? (found.tensor.dims[1] ?? 1) : 1;
  const classes = found.tensor.classes ?? (columns === 1 ? ["1"] : Array.from({ length: columns }, (_, index) => String(index)));
  return { classes, rows, scores: found.tensor.data };
}

function inBatches(features: Float32Array, rows: number, score: (part: Float32Array, rows: number) => ClassScores): ClassScores {
  const width = rows === 0 ? 0 : features.length / rows;
  const parts: ClassScores[] = [];
  for (let start = 0; start === 0 || start < rows; start += batchRowsMax) {
    const count = Math.min(batchRowsMax, rows - start);
    parts.push(score(features.subarray(start * width, (start + count) * width), count));
  }
  const classes = parts[0]?.classes ?? [];
  const scores = new Float32Array(rows * classes.length);
  for (const [index, part] of parts.entries()) scores.set(part.scores, index * batchRowsMax * classes.length);
  return { classes, rows, scores };
}
