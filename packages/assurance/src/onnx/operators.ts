import { LicetError } from "@licet/contract";
import { activation, clip, each, elementwise, gemm, product, reduce } from "./arithmetic.ts";
import { linearClassifier, linearRegressor, normalizer, scaler, treeClassifier, treeRegressor, zipMap } from "./classical.ts";
import { arrayFeatureExtractor, binarizer, featureVectorizer, imputer, labelEncoder, oneHotEncoder } from "./features.ts";
import type { ModelNode } from "./model-file.ts";
import { argMax, cast, concat, constant, flatten, reshape, softmax, squeeze, unsqueeze } from "./shape.ts";
import { svmClassifier, svmRegressor } from "./svm.ts";
import { type Operator, present } from "./tensor.ts";

type Prepare = (node: ModelNode, opset: number) => Operator;

/** Everything that the interpreter knows, by domain and name. What is not here is refused when the model is loaded. */
const prepared = new Map<string, Prepare>([
  ["Gemm", gemm],
  ["MatMul", () => ([a, b]) => [product(present(a), present(b), { transposed: false, factor: 1 })]],
  ["Add", () => elementwise((a, b) => a + b)],
  ["Sub", () => elementwise((a, b) => a - b)],
  ["Mul", () => elementwise((a, b) => a * b)],
  ["Div", () => elementwise((a, b) => a / b)],
  ["Pow", () => elementwise((a, b) => a ** b)],
  ["Min", () => elementwise(Math.min)],
  ["Max", () => elementwise(Math.max)],
  ["Relu", () => each((x) => (x < 0 ? 0 : x))],
  ["LeakyRelu", activation((alpha) => (x) => (x < 0 ? alpha * x : x), { alpha: 0.01 })],
  ["Elu", activation((alpha) => (x) => (x < 0 ? alpha * Math.expm1(x) : x), { alpha: 1 })],
  ["Selu", activation((alpha, gamma) => (x) => gamma * (x < 0 ? alpha * Math.expm1(x) : x), { alpha: 1.673_263_192_176_818_8, beta: 1.050_701_022_148_132_3 })],
  ["HardSigmoid", activation((alpha, beta) => (x) => Math.min(1, Math.max(0, alpha * x + beta)), { alpha: 0.2, beta: 0.5 })],
  ["Softplus", () => each((x) => (x > 30 ? x : Math.log1p(Math.exp(x))))],
  ["Sigmoid", () => each((x) => 1 / Math.fround(1 + Math.fround(Math.exp(-x))))],
  ["Tanh", () => each(Math.tanh)],
  ["Exp", () => each(Math.exp)],
  ["Log", () => each(Math.log)],
  ["Sqrt", () => each(Math.sqrt)],
  ["Abs", () => each(Math.abs)],
  ["Neg", () => each((x) => -x)],
  ["Reciprocal", () => each((x) => 1 / x)],
  ["Floor", () => each(Math.floor)],
  ["Ceil", () => each(Math.ceil)],
  ["Clip", clip],
  ["ReduceSum", reduce((values) => values.reduce((sum, value) => sum + value, 0))],
  ["ReduceMean", reduce((values) => values.reduce((sum, value) => sum + value, 0) / values.length)],
  ["ReduceMax", reduce((values) => values.reduce((most, value) => Math.max(most, value), -Infinity))],
  ["Identity", () => ([x]) => [present(x)]],
  ["Dropout", () => ([x]) => [present(x)]],
  ["Softmax", softmax],
  ["LogSoftmax", softmax],
  ["ArgMax", argMax],
  ["Concat", concat],
  ["Reshape", reshape],
  ["Flatten", flatten],
  ["Squeeze", squeeze],
  ["Unsqueeze", unsqueeze],
  ["Cast", cast],
  ["Constant", constant],
  ["ai.onnx.ml/Scaler", scaler],
  ["ai.onnx.ml/Normalizer", normalizer],
  ["ai.onnx.ml/Imputer", imputer],
  ["ai.onnx.ml/OneHotEncoder", oneHotEncoder],
  ["ai.onnx.ml/LabelEncoder", labelEncoder],
  ["ai.onnx.ml/Binarizer", binarizer],
  ["ai.onnx.ml/ArrayFeatureExtractor", arrayFeatureExtractor],
  ["ai.onnx.ml/FeatureVectorizer", featureVectorizer],
  ["ai.onnx.ml/LinearRegressor", linearRegressor],
  ["ai.onnx.ml/LinearClassifier", linearClassifier],
  ["ai.onnx.ml/SVMRegressor", svmRegressor],
  ["ai.onnx.ml/SVMClassifier", svmClassifier],
  ["ai.onnx.ml/TreeEnsembleRegressor", treeRegressor],
  ["ai.onnx.ml/TreeEnsembleClassifier", treeClassifier],
  ["ai.onnx.ml/ZipMap", zipMap],
]);

/** Names of the operators that models may use, with their domain where it is not the default. */
export const operatorNames: readonly string[] = [...prepared.keys()];

/** Throws `model_operator_unknown` with its name, also where only this way of using it is not known; `model_malformed`. */
export function prepareOperator(node: ModelNode, opsets: ReadonlyMap<string, number>): Operator {
  const name = node.domain === "" ? node.operator : `${node.domain}/${node.operator}`;
  const prepare = prepared.get(name);
  if (prepare === undefined) throw unknown(name, "the model uses an operator");
  try {
    return prepare(node, opsets.get(node.domain) ?? 1);
  } catch (error) {
    throw error instanceof LicetError && error.code === "model_unsupported" ? unknown(name, error.message.split(", which this engine")[0] ?? "") : error;
  }
}

const nameCharactersMax = 200;

function unknown(name: string, what: string): LicetError {
  const operator = name.slice(0, nameCharactersMax);
  return new LicetError("model_operator_unknown", { message: `the operator \`${operator}\` is not implemented here (${what}): install onnxruntime-web beside licet, or export the model with other operators`, at: { operator } });
}
