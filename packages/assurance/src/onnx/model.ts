import { LicetError } from "@licet/contract";
import { type ModelBounds, modelBounds, type ModelFile, type ModelNode, parseModelFile, type Port } from "./model-file.ts";
import { prepareOperator } from "./operators.ts";
import { malformed } from "./protobuf.ts";
import { floats, type Operator, type Tensor, unsupported } from "./tensor.ts";

/** Rows computed at a time, so that memory does not grow with the data set. */
const batchRowsMax = 4096;

/** Scores of every row for every class, row by row. With one class there is one score for the positive one. */
export interface ClassScores {
  readonly classes: readonly string[];
  readonly rows: number;
  readonly scores: Float32Array;
}

/** An ONNX model with one float input of rows by features, ready to be scored in this process. */
export interface Model {
  readonly input: string;
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
 * Throws `model_malformed`, `model_unsupported`, `model_too_large`.
 *
 * Arithmetic: sums in double precision, rounded to 32 bits after each operator; ONNX Runtime differs by about 1e-7.
 */
export function loadModel(bytes: Uint8Array, bounds: ModelBounds = modelBounds): Model {
  const file = parseModelFile(bytes, bounds);
  const [input, second] = file.inputs;
  if (input === undefined || second !== undefined) throw unsupported("the model does not have exactly one input");
  if (input.elementType !== 1 || input.dims.length !== 2) throw unsupported("the model's input is not a float table of rows by features");
  const steps = file.nodes.map((node) => ({ node, operator: prepareOperator(node, file.opsets) }));
  const width = input.dims[1];
  const run = (features: Float32Array, rows: number) => runAll({ file, steps, input, features, rows });
  return {
    input: input.name,
    width,
    outputs: file.outputs.map((port) => port.name),
    operators: [...new Set(file.nodes.map((node) => node.operator))],
    run,
    score: (features, rows) => inBatches(features, rows, (part, count) => classScores(run(part, count), count)),
  };
}

interface Work {
  readonly file: ModelFile;
  readonly steps: readonly Step[];
  readonly input: Port;
  readonly features: Float32Array;
  readonly rows: number;
}

function runAll(work: Work): ReadonlyMap<string, Tensor> {
  const { file, input, features, rows } = work;
  const width = rows === 0 ? (input.dims[1] ?? 0) : features.length / rows;
  if (!Number.isInteger(width) || (input.dims[1] ?? width) !== width || features.length !== rows * width) {
    throw new LicetError("model_input_mismatch", {
      message: `the model takes ${input.dims[1] ?? "some"} features and the rows have ${width}: name the columns under \`features\``,
      at: { expected: input.dims[1] ?? null, found: width },
    });
  }
  const values = new Map<string, Tensor>(file.initializers);
  values.set(input.name, floats([rows, width], features));
  for (const { node, operator } of work.steps) {
    const results = operator(node.inputs.map((name) => valueOf(values, name)));
    for (const [index, name] of node.outputs.entries()) {
      const result = results[index];
      if (result === undefined) throw malformed(`the operator \`${node.operator}\` has too many outputs`);
      values.set(name, result);
    }
  }
  return new Map(file.outputs.map((port) => [port.name, checkedOutput(valueOf(values, port.name), port, rows)]));
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
