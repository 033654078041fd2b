import { LicetError } from "@licet/contract";
import { type ModelBounds, modelBounds, type ModelFile, type ModelNode, parseModelFile } from "./model-file.ts";
import { type Input, inputsOf } from "./model-inputs.ts";
import { unsupported } from "./tensor.ts";

/** How another interpreter is to run a model so that its scores are those that ours gives. */
export interface PeerPlan {
  readonly bytes: Uint8Array;
  readonly inputs: readonly Input[];
  /** Number of features; undefined where the model leaves it open. */
  readonly width: number | undefined;
  /** The value that holds the scores. */
  readonly output: string;
}

/**
 * Reads the file in whole with our own parser: what keeps weights elsewhere, or carries functions or subgraphs, is refused
 * before another interpreter sees it. Throws what `parseModelFile` throws, and `model_output_unclear`.
 */
export function peerPlan(bytes: Uint8Array, bounds: ModelBounds = modelBounds): PeerPlan {
  const file = parseModelFile(bytes, bounds);
  // It names a file of the machine that is to be loaded.
  if (file.nodes.some(({ operator }) => operator === "EPContext")) throw unsupported("the model uses the operator `EPContext`");
  const { inputs, width } = inputsOf(file);
  const output = scoreValue(file);
  const isOutput = file.outputs.some(({ name }) => name === output);
  return { bytes: isOutput ? bytes : withOutput(bytes, output), inputs, width, output };
}

/** The rule of `classScores`, told from the graph alone: an output that carries labels goes before one that does not. */
function scoreValue(file: ModelFile): string {
  const makers = new Map(file.nodes.flatMap((node) => node.outputs.map((name): [string, ModelNode] => [name, node])));
  const found = file.outputs.flatMap(({ name, elementType }) => {
    const maker = makers.get(name);
    if (maker?.operator === "ZipMap") return [{ value: maker.inputs[0] ?? name, labelled: true }];
    if (maker?.operator.endsWith("Classifier") === true && maker.domain === "ai.onnx.ml") return maker.outputs[1] === name ? [{ value: name, labelled: true }] : [];
    return elementType === floatType || elementType === doubleType ? [{ value: name, labelled: false }] : [];
  });
  const labelled = found.filter(({ labelled: carries }) => carries);
  const [only, other] = labelled.length > 0 ? labelled : found;
  if (only !== undefined && other === undefined) return only.value;
  throw new LicetError("model_output_unclear", { message: `the model has ${found.length} outputs that could be scores: export it with one` });
}

const floatType = 1;
const doubleType = 11;

/**
 * A further output of the graph, written behind the file: protocol buffers merge a message that stands twice. ONNX Runtime
 * for JavaScript gives tensors, and not the maps that ZipMap makes of them.
 */
function withOutput(bytes: Uint8Array, name: string): Uint8Array {
  const type = message(2, message(1, Buffer.from([8, floatType])));
  const port = Buffer.concat([message(1, Buffer.from(name)), type]);
  return Buffer.concat([bytes, message(7, message(12, port))]);
}

function message(field: number, content: Uint8Array): Buffer {
  const length: number[] = [];
  for (let left = content.length; ; left = Math.floor(left / 128)) {
    length.push(left < 128 ? left : (left % 128) + 128);
    if (left < 128) break;
  }
  return Buffer.concat([Buffer.from([field * 8 + 2, ...length]), content]);
}
