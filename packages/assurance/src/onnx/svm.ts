import { classified, labelsOf, plainTransform, transformOf } from "./classical.ts";
import type { ModelNode } from "./model-file.ts";
import { malformed } from "./protobuf.ts";
import { floats, type Matrix, only, type Operator, unsupported } from "./tensor.ts";

/** Support vector machines of the `ai.onnx.ml` domain (version 1), which follow libsvm. */

type Kernel = (row: Float32Array, vector: number) => number;

interface Machine {
  readonly count: number;
  readonly width: number;
  readonly kernel: Kernel;
}

export function svmRegressor(node: ModelNode): Operator {
  plainTransform(node);
  const weights = list(node, "coefficients");
  const rho = list(node, "rho")[0] ?? 0;
  const machine = machineOf(node, node.attributes.get("n_supports")?.integer ?? 0, weights);
  if (node.attributes.get("one_class")?.integer === 1) throw unsupported("a support vector machine finds outliers");
  return ([x]) => {
    const input = only(x);
    const sums = rowsOf(input, machine).map((row) => rho + sum(machine.count, (vector) => (weights[vector] ?? 0) * machine.kernel(row, vector)));
    return [floats([input.rows, 1], Float32Array.from(sums))];
  };
}

/** Two classes only: with more, runtimes count the votes of the pairs differently. */
export function svmClassifier(node: ModelNode): Operator {
  const labels = labelsOf(node);
  const transform = transformOf(node);
  const [weights, rho, probA, probB] = [list(node, "coefficients"), list(node, "rho"), list(node, "prob_a"), list(node, "prob_b")];
  if (labels.names.length !== 2 || rho.length !== 1) throw unsupported("a support vector machine has more or fewer than two classes");
  const supports = (node.attributes.get("vectors_per_class")?.integers ?? []).reduce((total, each) => total + each, 0);
  const machine = machineOf(node, supports, weights);
  const calibrated = probA.length === 1 && probB.length === 1;
  if (!calibrated) throw unsupported("a support vector classifier gives no probabilities");
  return ([x]) => {
    const input = only(x);
    const scores = new Float64Array(input.rows * 2);
    for (const [index, row] of rowsOf(input, machine).entries()) {
      const margin = (rho[0] ?? 0) + sum(machine.count, (vector) => (weights[vector] ?? 0) * machine.kernel(row, vector));
      // Platt 1999: the first class's probability, as libsvm writes it.
      const first = 1 / (1 + Math.exp((probA[0] ?? 0) * margin + (probB[0] ?? 0)));
      scores[index * 2] = first;
      scores[index * 2 + 1] = 1 - first;
    }
    return classified(labels, transform(scores, input.rows, 2), input.rows);
  };
}

function machineOf(node: ModelNode, count: number, weights: readonly number[]): Machine {
  const vectors = list(node, "support_vectors");
  const width = count > 0 ? vectors.length / count : 0;
  if (count < 1 || weights.length !== count || !Number.isInteger(width) || width < 1) throw malformed("support vectors do not fit their weights");
  const at = (vector: number, column: number) => vectors[vector * width + column] ?? Number.NaN;
  const dot = (row: Float32Array, vector: number) => sum(width, (column) => (row[column] ?? Number.NaN) * at(vector, column));
  const distance = (row: Float32Array, vector: number) => sum(width, (column) => ((row[column] ?? Number.NaN) - at(vector, column)) ** 2);
  return { count, width, kernel: kernelOf(node, { dot, distance }) };
}

function kernelOf(node: ModelNode, parts: { dot: Kernel; distance: Kernel }): Kernel {
  const name = node.attributes.get("kernel_type")?.text ?? "LINEAR";
  const [gamma = 0, coef = 0, degree = 3] = list(node, "kernel_params");
  switch (name) {
    case "LINEAR":
      return parts.dot;
    case "POLY":
      return (row, vector) => (gamma * parts.dot(row, vector) + coef) ** degree;
    case "RBF":
      return (row, vector) => Math.exp(-gamma * parts.distance(row, vector));
    case "SIGMOID":
      return (row, vector) => Math.tanh(gamma * parts.dot(row, vector) + coef);
    default:
      throw unsupported(`a support vector machine uses the kernel \`${name}\``);
  }
}

function rowsOf(input: Matrix, machine: Machine): readonly Float32Array[] {
  if (input.columns !== machine.width) throw malformed("support vectors do not fit the input");
  return Array.from({ length: input.rows }, (_, row) => input.data.subarray(row * input.columns, (row + 1) * input.columns));
}

function list(node: ModelNode, name: string): readonly number[] {
  return node.attributes.get(name)?.floats ?? [];
}

function sum(count: number, term: (index: number) => number): number {
  let total = 0;
  for (let index = 0; index < count; index += 1) total += term(index);
  return total;
}
