import type { ModelNode } from "./model-file.ts";
import { softmaxRows } from "./softmax.ts";
import { malformed } from "./protobuf.ts";
import { floats, type Matrix, only, type Operator, type Tensor, unsupported } from "./tensor.ts";
import { buildForest, walkForest, type Forest } from "./trees.ts";

/** Operators of the `ai.onnx.ml` domain. Source: ONNX ai.onnx.ml operator set, versions 1 to 3. */

export function scaler(node: ModelNode): Operator {
  const offset = node.attributes.get("offset")?.floats ?? [];
  const scale = node.attributes.get("scale")?.floats ?? [];
  return ([x]) => {
    const input = only(x);
    const { columns, data } = input;
    for (const list of [offset, scale]) {
      if (list.length !== columns && list.length !== 1) throw malformed("a Scaler does not fit its input");
    }
    const at = (list: readonly number[], index: number) => list[list.length === 1 ? 0 : index % columns] ?? Number.NaN;
    const scaled = data.map((value, index) => Math.fround(value - at(offset, index)) * at(scale, index));
    return [floats([input.rows, columns], scaled)];
  };
}

/** MAX divides by the largest value, not by the largest magnitude: the standard and ONNX Runtime say so. */
const sizes = {
  MAX: (values: Float32Array) => values.reduce((most, v) => Math.max(most, v), -Infinity),
  L1: (values: Float32Array) => values.reduce((sum, v) => sum + Math.abs(v), 0),
  L2: (values: Float32Array) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0)),
} as const;

export function normalizer(node: ModelNode): Operator {
  const norm = node.attributes.get("norm")?.text ?? "MAX";
  if (norm !== "MAX" && norm !== "L1" && norm !== "L2") throw unsupported(`a Normalizer uses the norm \`${norm}\``);
  return ([x]) => {
    const { rows, columns, data } = only(x);
    const result = new Float32Array(data.length);
    for (let row = 0; row < rows; row += 1) {
      const values = data.subarray(row * columns, (row + 1) * columns);
      const size = sizes[norm](values);
      for (const [column, value] of values.entries()) result[row * columns + column] = size === 0 ? value : value / size;
    }
    return [floats([rows, columns], result)];
  };
}

export function linearRegressor(node: ModelNode): Operator {
  const targets = node.attributes.get("targets")?.integer ?? 1;
  plainTransform(node);
  return ([x]) => {
    const input = only(x);
    return [floats([input.rows, targets], Float32Array.from(linear(node, input, targets)))];
  };
}

export function linearClassifier(node: ModelNode): Operator {
  const labels = labelsOf(node);
  const transform = transformOf(node);
  if ((node.attributes.get("intercepts")?.floats ?? []).length !== labels.names.length) {
    throw unsupported("a LinearClassifier has another number of rows than of classes");
  }
  return ([x]) => {
    const input = only(x);
    return classified(labels, transform(linear(node, input, labels.names.length), input.rows, labels.names.length), input.rows);
  };
}

export function treeRegressor(node: ModelNode): Operator {
  const targets = node.attributes.get("n_targets")?.integer ?? 1;
  plainTransform(node);
  if (targets < 1 || targets > 10_000) throw malformed("a tree ensemble has an impossible number of targets");
  const forest = buildForest(node, "target", targets);
  return ([x]) => {
    const input = only(x);
    return [floats([input.rows, targets], Float32Array.from(walkForest(forest, input)))];
  };
}

export function treeClassifier(node: ModelNode): Operator {
  const labels = labelsOf(node);
  const transform = transformOf(node);
  const classes = labels.names.length;
  const forest = buildForest(node, "class", classes);
  const single = forest.votedTargets.size === 1 && classes === 2;
  if (single) requireLogisticMargin(node, forest);
  return ([x]) => {
    const input = only(x);
    const sums = walkForest(forest, input);
    const scores = single ? mirrored(sums, [...forest.votedTargets][0] ?? 0) : sums;
    return classified(labels, transform(scores, input.rows, classes), input.rows);
  };
}

/** Maps from label to score are kept as a matrix that carries its labels. */
export function zipMap(node: ModelNode): Operator {
  const { names } = labelsOf(node);
  return ([x]) => {
    const input = only(x);
    if (input.columns !== names.length) throw malformed("a ZipMap has another number of labels than of scores");
    return [{ kind: "float", dims: [input.rows, input.columns], data: input.data, classes: names }];
  };
}

/**
 * One margin for two classes is only unambiguous with LOGISTIC and signed weights (gradient boosting):
 * then the classes score logistic(-m) and logistic(m). Runtimes disagree about the other combinations.
 */
function requireLogisticMargin(node: ModelNode, forest: Forest): void {
  if (node.attributes.get("post_transform")?.text !== "LOGISTIC" || !forest.anyNegative) {
    throw unsupported("a binary tree ensemble votes for one class without a logistic margin");
  }
}

function mirrored(sums: Float64Array, voted: number): Float64Array {
  return sums.map((_, index) => (index % 2 === 0 ? -1 : 1) * (sums[index - (index % 2) + voted] ?? Number.NaN));
}

export type Transform = (scores: Float64Array, rows: number, columns: number) => Float32Array;

export function transformOf(node: ModelNode): Transform {
  const name = node.attributes.get("post_transform")?.text ?? "NONE";
  if (name === "NONE") return (scores) => Float32Array.from(scores);
  if (name === "LOGISTIC") return (scores) => Float32Array.from(scores, (score) => 1 / (1 + Math.exp(-score)));
  if (name === "SOFTMAX") return softmaxRows;
  throw unsupported(`an operator ends with the transform \`${name}\``);
}

export function plainTransform(node: ModelNode): void {
  const name = node.attributes.get("post_transform")?.text ?? "NONE";
  if (name !== "NONE") throw unsupported(`a regressor ends with the transform \`${name}\``);
}

export interface Labels {
  readonly names: readonly string[];
  readonly integers: readonly number[] | undefined;
}

export function labelsOf(node: ModelNode): Labels {
  const texts = ["classlabels_strings", "classlabels_string"].flatMap((name) => node.attributes.get(name)?.texts ?? []);
  if (texts.length > 0) return { names: texts, integers: undefined };
  const integers = ["classlabels_int64s", "classlabels_ints"].flatMap((name) => node.attributes.get(name)?.integers ?? []);
  if (integers.length === 0) throw malformed("a classifier has no labels");
  return { names: integers.map(String), integers };
}

/** The first column with the largest value, row by row. */
export function largestOfRows(scores: Float32Array, rows: number, columns: number): readonly number[] {
  return Array.from({ length: rows }, (_, row) => {
    let best = 0;
    for (let column = 1; column < columns; column += 1) {
      if ((scores[row * columns + column] ?? Number.NaN) > (scores[row * columns + best] ?? Infinity)) best = column;
    }
    return best;
  });
}

export function classified(labels: Labels, scores: Float32Array, rows: number): readonly Tensor[] {
  const columns = labels.names.length;
  const chosen = largestOfRows(scores, rows, columns);
  const { integers } = labels;
  const label: Tensor =
    integers === undefined
      ? { kind: "string", dims: [rows], data: chosen.map((index) => labels.names[index] ?? "") }
      : { kind: "int", dims: [rows], data: Float64Array.from(chosen, (index) => integers[index] ?? Number.NaN) };
  return [label, { kind: "float", dims: [rows, columns], data: scores, classes: labels.names }];
}

function linear(node: ModelNode, input: Matrix, outputs: number): Float64Array {
  const weights = node.attributes.get("coefficients")?.floats ?? [];
  const intercepts = node.attributes.get("intercepts")?.floats ?? [];
  if (weights.length !== outputs * input.columns) throw malformed("linear coefficients do not fit the input");
  const sums = new Float64Array(input.rows * outputs);
  for (let row = 0; row < input.rows; row += 1) {
    for (let output = 0; output < outputs; output += 1) {
      let sum = intercepts[output] ?? 0;
      for (let k = 0; k < input.columns; k += 1) {
        sum += (input.data[row * input.columns + k] ?? Number.NaN) * (weights[output * input.columns + k] ?? Number.NaN);
      }
      sums[row * outputs + output] = sum;
    }
  }
  return sums;
}
