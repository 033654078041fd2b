import { buildForest, type Forest } from "./trees.ts";
import type { ModelFile, ModelNode } from "./model-file.ts";
import type { FloatTensor, Tensor } from "./tensor.ts";
import { type Affine, composed, diagonal, identityAffine, type Layer, type Network, shifted } from "./network.ts";

/**
 * How the scores come from the outputs: `mirrored` is one output z with scores 1 - s(z) and s(z);
 * `logistic` is one s(z) per output; `shares` keeps the order of the outputs in every row (softmax, row normalisation).
 */
export type Link = "identity" | "logistic" | "mirrored" | "shares";

/** What the model computes, where it can be seen through: certificates and exact answers need this. */
export type Structure =
  | { readonly kind: "network"; readonly network: Network; readonly link: Link }
  | { readonly kind: "forest"; readonly forest: Forest; readonly link: Link }
  | { readonly kind: "opaque"; readonly reason: string };

type Seen =
  | { readonly kind: "constant"; readonly tensor: Tensor }
  | { readonly kind: "network"; readonly network: Network; readonly link: Link }
  | { readonly kind: "forest"; readonly forest: Forest; readonly link: Link }
  /** 1 - s(z) of the value it names: one half of the mirrored form. */
  | { readonly kind: "complement"; readonly of: string }
  | { readonly kind: "other"; readonly reason: string };

type View = ReadonlyMap<string, Seen>;
type See = (node: ModelNode, view: View) => Seen;

const other = (reason: string): Seen => ({ kind: "other", reason });

/** Looks through a graph to its weights or trees. Never throws: what it does not recognise is opaque, with the reason. */
export function structureOf(file: ModelFile): Structure {
  const view = new Map<string, Seen>();
  for (const [name, tensor] of file.initializers) view.set(name, { kind: "constant", tensor });
  const [input, second] = file.inputs;
  const width = input?.dims[1];
  if (input === undefined || second !== undefined || width === undefined) return { kind: "opaque", reason: "it has several inputs, or one of open width" };
  view.set(input.name, { kind: "network", network: { inputs: width, layers: [], last: identityAffine }, link: "identity" });
  for (const node of file.nodes) {
    const seen = seeNode(node, view);
    for (const [index, name] of node.outputs.entries()) view.set(name, index === scoreOutput(node) ? seen : labels);
  }
  return outputStructure(file, view);
}

const labels: Seen = { kind: "other", reason: "it ends in labels" };

function outputStructure(file: ModelFile, view: View): Structure {
  const [only, more] = file.outputs.map((port) => view.get(port.name)).filter((seen) => seen !== undefined && seen !== labels);
  if (only === undefined || more !== undefined) return { kind: "opaque", reason: "it does not have exactly one output of scores" };
  if (only.kind === "network" || only.kind === "forest") return only;
  return { kind: "opaque", reason: only.kind === "other" ? only.reason : "its output is a constant or half of a pair" };
}

function scoreOutput(node: ModelNode): number {
  return node.operator.endsWith("Classifier") ? 1 : 0;
}

function seeNode(node: ModelNode, view: View): Seen {
  const see = seers.get(node.operator);
  if (see === undefined) return other(`it uses the operator \`${node.operator}\``);
  return see(node, view);
}

const seers: ReadonlyMap<string, See> = new Map<string, See>([
  ["Gemm", gemm],
  ["MatMul", gemm],
  ["Add", (node, view) => shift(node, view, 1)],
  ["Sub", subtract],
  ["Mul", (node, view) => stretch(node, view, (x) => x)],
  ["Div", (node, view) => stretch(node, view, (x) => 1 / x)],
  ["Neg", (node, view) => affine(first(node, view), diagonal([-1]))],
  ["Scaler", scale],
  ["Relu", relu],
  ["Sigmoid", (node, view) => linked(first(node, view), "logistic")],
  ["Softmax", (node, view) => linked(first(node, view), "shares")],
  ["Identity", first],
  ["Dropout", first],
  ["Concat", mirrored],
  ["ZipMap", first],
  ["Normalizer", normalised],
  ["Imputer", first],
  ["LinearRegressor", linear],
  ["LinearClassifier", linear],
  ["TreeEnsembleRegressor", (node, view) => trees(node, view, "target")],
  ["TreeEnsembleClassifier", (node, view) => trees(node, view, "class")],
]);

function first(node: ModelNode, view: View, index = 0): Seen {
  return view.get(node.inputs[index] ?? "") ?? other("it uses a value that is not there");
}

/** Puts a matrix after what is there; only before any link. */
function affine(seen: Seen, next: Affine): Seen {
  if (seen.kind !== "network" || seen.link !== "identity") return other("it computes with scores, not with features");
  const last = composed(seen.network, next);
  return last === undefined ? other("its weights do not fit together") : { ...seen, network: { ...seen.network, last } };
}

function gemm(node: ModelNode, view: View): Seen {
  const [weights, bias] = [first(node, view, 1), node.inputs[2] === undefined ? undefined : first(node, view, 2)];
  if (weights.kind !== "constant" || weights.tensor.kind !== "float" || weights.tensor.dims.length !== 2) return other("it multiplies features with features");
  if (bias !== undefined && (bias.kind !== "constant" || bias.tensor.kind !== "float")) return other("it adds features to features");
  const offsets = bias?.tensor.kind === "float" ? bias.tensor.data : new Float32Array(1);
  const layer = layerOf(node, weights.tensor, offsets);
  return layer === undefined ? other("its offsets do not fit its weights") : affine(first(node, view), layer);
}

/** Weights as rows of outputs, whichever way round the node keeps them. */
function layerOf(node: ModelNode, { dims, data }: FloatTensor, offsets: Float32Array): Layer | undefined {
  const number = (name: string) => node.attributes.get(name)?.float ?? 1;
  const [alpha, beta, turned] = [number("alpha"), number("beta"), node.attributes.get("transB")?.integer === 1];
  const [a = 0, b = 0] = dims;
  const [columns, rows] = turned ? [b, a] : [a, b];
  if (offsets.length !== 1 && offsets.length !== rows) return undefined;
  const at = (row: number, column: number) => alpha * (data[turned ? row * columns + column : column * rows + row] ?? Number.NaN);
  const weights = Float64Array.from({ length: rows * columns }, (_, index) => at(Math.floor(index / columns), index % columns));
  return { kind: "matrix", rows, columns, weights, bias: Float64Array.from({ length: rows }, (_, row) => beta * (offsets[offsets.length === 1 ? 0 : row] ?? 0)) };
}

/** Value and constant of a two-sided operator, in whichever order they stand. */
function withConstant(node: ModelNode, view: View): { value: Seen; constants: readonly number[]; constantFirst: boolean } | undefined {
  const [left, right] = [first(node, view), first(node, view, 1)];
  for (const [value, fixed, constantFirst] of [[left, right, false], [right, left, true]] as const) {
    if (fixed.kind !== "constant" || fixed.tensor.kind !== "float") continue;
    const { dims, data } = fixed.tensor;
    if (dims.length < 2 || dims[0] === 1) return { value, constants: [...data], constantFirst };
  }
  return undefined;
}

function shift(node: ModelNode, view: View, sign: 1 | -1): Seen {
  const found = withConstant(node, view);
  return found === undefined ? other("it adds features to features") : affine(found.value, shifted(found.constants.map((value) => sign * value)));
}

function subtract(node: ModelNode, view: View): Seen {
  const found = withConstant(node, view);
  if (found === undefined) return other("it subtracts features from features");
  if (!found.constantFirst) return shift(node, view, -1);
  const { value } = found;
  const complement = (value.kind === "network" || value.kind === "forest") && value.link === "logistic" && found.constants.length === 1 && found.constants[0] === 1;
  return complement ? { kind: "complement", of: node.inputs[1] ?? "" } : affine(affine(value, diagonal([-1])), shifted(found.constants));
}

function stretch(node: ModelNode, view: View, change: (x: number) => number): Seen {
  const found = withConstant(node, view);
  if (found === undefined || (node.operator === "Div" && found.constantFirst)) return other("it multiplies or divides features with features");
  return affine(found.value, diagonal(found.constants.map(change)));
}

function scale(node: ModelNode, view: View): Seen {
  const offsets = node.attributes.get("offset")?.floats ?? [];
  const scales = node.attributes.get("scale")?.floats ?? [];
  return affine(affine(first(node, view), shifted(offsets.map((value) => -value))), diagonal(scales));
}

function relu(node: ModelNode, view: View): Seen {
  const seen = first(node, view);
  if (seen.kind !== "network" || seen.link !== "identity" || seen.network.last.kind !== "matrix") return other("it cuts scores or bare features at zero");
  const layer: Layer = seen.network.last;
  return { ...seen, network: { ...seen.network, layers: [...seen.network.layers, layer], last: identityAffine } };
}

function linked(seen: Seen, link: Link): Seen {
  if ((seen.kind !== "network" && seen.kind !== "forest") || seen.link !== "identity") return other("it links scores twice");
  return { ...seen, link };
}

function mirrored(node: ModelNode, view: View): Seen {
  const [left, right] = [first(node, view), first(node, view, 1)];
  const whole = node.inputs.length === 2 && left.kind === "complement" && left.of === node.inputs[1];
  if (!whole || (right.kind !== "network" && right.kind !== "forest") || outputsOf(right) !== 1) return other("it joins values in another way than 1 - p and p");
  return { ...right, link: "mirrored" };
}

/** Dividing positive scores by their sum or largest keeps their order. Features are another matter. */
function normalised(node: ModelNode, view: View): Seen {
  const seen = first(node, view);
  if ((seen.kind !== "network" && seen.kind !== "forest") || seen.link === "identity") return other("it normalises each row of features");
  return seen.link === "logistic" && outputsOf(seen) === 1 ? other("it normalises a single score") : { ...seen, link: seen.link === "mirrored" ? "mirrored" : "shares" };
}

function outputsOf(seen: Extract<Seen, { kind: "network" | "forest" }>): number {
  if (seen.kind === "forest") return seen.forest.targets;
  return seen.network.last.kind === "matrix" ? seen.network.last.rows : -1;
}

function linear(node: ModelNode, view: View): Seen {
  const coefficients = node.attributes.get("coefficients")?.floats ?? [];
  const intercepts = node.attributes.get("intercepts")?.floats ?? [];
  const rows = node.operator === "LinearRegressor" ? (node.attributes.get("targets")?.integer ?? 1) : intercepts.length;
  const columns = coefficients.length / rows;
  if (!Number.isInteger(columns) || columns < 1) return other("its weights do not fit together");
  const bias = Float64Array.from({ length: rows }, (_, row) => intercepts[row] ?? 0);
  return transformed(node, affine(first(node, view), { kind: "matrix", rows, columns, weights: Float64Array.from(coefficients), bias }));
}

function transformed(node: ModelNode, seen: Seen): Seen {
  const name = node.attributes.get("post_transform")?.text ?? "NONE";
  if (name === "NONE") return seen;
  if (name === "LOGISTIC") return linked(seen, "logistic");
  return name === "SOFTMAX" ? linked(seen, "shares") : other(`it ends with the transform \`${name}\``);
}

/** Trees over the features themselves; a preparation before them would move their thresholds. */
function trees(node: ModelNode, view: View, votes: "target" | "class"): Seen {
  const seen = first(node, view);
  const bare = seen.kind === "network" && seen.network.layers.length === 0 && seen.network.last.kind === "identity";
  if (!bare) return other("its trees look at prepared features");
  const listed = ["classlabels_int64s", "classlabels_strings"].map((name) => node.attributes.get(name)).map((list) => (list?.integers.length ?? 0) + (list?.texts.length ?? 0));
  const targets = votes === "target" ? (node.attributes.get("n_targets")?.integer ?? 1) : Math.max(...listed);
  const forest = buildForest(node, votes, targets);
  if (votes === "class" && targets === 2 && forest.votedTargets.size === 1) return { kind: "forest", forest: oneTarget(forest), link: "mirrored" };
  return transformed(node, { kind: "forest", forest, link: "identity" });
}

/** A boosted binary classifier votes with one margin, whichever of the two classes its leaves name. */
function oneTarget(forest: Forest): Forest {
  const [voted = 0] = forest.votedTargets;
  return { ...forest, targets: 1, base: [forest.base[voted] ?? 0], voteTarget: forest.voteTarget.map(() => 0), votedTargets: new Set([0]) };
}
