import type { JsonObject } from "../../ledger/recorder.ts";
import { scannedAnswer } from "../answer-texts.ts";
import { readJson } from "../json.ts";
import { refuse } from "../refusal.ts";
import type { RelayEnd } from "../relay.ts";
import type { CallScan } from "../scan.ts";
import { answerRefusal, cleanWords } from "../stream.ts";
import type { ModelView } from "../snapshot.ts";
import { readAnswer, type InferAnswer } from "./infer-answer.ts";
import { isFixed, splitTypes, tensorWords, withData } from "./judge-score.ts";
import { described, isRecord, stringsOf, type Tensor } from "./tensor.ts";

export interface Reading {
  readonly scan: CallScan;
  readonly model: ModelView;
  readonly bytes: Uint8Array;
  readonly end: RelayEnd;
}

export interface ReadEnd {
  readonly end: RelayEnd;
  /** What the record says of the outputs: never their data. */
  readonly outputs: readonly ReturnType<typeof described>[];
  /** The words of the outputs. */
  readonly texts: readonly string[];
  readonly version: string | null;
}

/** Reads a whole answer: strict in its shape, of the model that was asked, each string scanned. */
export function readEnd({ scan, model, bytes, end }: Reading): ReadEnd {
  const nothing = { outputs: [], texts: [], version: null };
  if (end.upstreamStatus !== 200) return { ...nothing, end: { ...end, ...upstreamError(scan, end.upstreamStatus ?? 502, bytes) } };
  const answer = readAnswer(bytes);
  if (answer === undefined || answer.modelName !== model.model) return { ...nothing, end: { ...end, refusal: refuse("upstream_invalid", { message: "the provider's answer is none of the model that was asked, or its tensors do not fit their shapes" }), abortedBy: "upstream" } };
  const { modelVersion: version = null } = answer;
  if (model.version !== undefined && version !== null && version !== model.version) {
    const refusal = refuse("release_mismatch", { message: `the provider answered with version \`${version}\` of model \`${model.name}\`, which the release does not declare`, component: `model:${model.name}` });
    return { ...nothing, version, end: { ...end, refusal, abortedBy: "boundary" } };
  }
  return { outputs: answer.outputs.map(described), texts: answer.outputs.flatMap(stringsOf), version, end: scannedEnd({ scan, answer, end }, model) };
}

function scannedEnd({ scan, answer, end }: { readonly scan: CallScan; readonly answer: InferAnswer; readonly end: RelayEnd }, model: ModelView): RelayEnd {
  const counting = { found: new Map<string, number>(), taken: new Map<string, number>() };
  const words = { ...(answer.id !== undefined && { id: answer.id }), ...(answer.modelVersion !== undefined && { model_version: answer.modelVersion }), ...(answer.parameters !== undefined && { parameters: answer.parameters }), outputs: answer.outputs.map(tensorWords) };
  const { value, blocked } = scannedAnswer(scan, counting, { value: words, isFixed });
  const split = splitTypes(scan.rules, answer.outputs, (type) => scan.stopped(new Map([[type, 1]])).length > 0);
  for (const type of split) counting.found.set(type, (counting.found.get(type) ?? 0) + 1);
  if (blocked !== undefined || split.length > 0) return { ...end, counting, refusal: answerRefusal(scan, counting), abortedBy: "boundary" };
  const read = value["outputs"];
  const outputs = answer.outputs.map((tensor, at) => withData(tensor, Array.isArray(read) ? read[at] : undefined));
  const body = {
    model_name: model.name,
    ...(answer.modelVersion !== undefined && { model_version: answer.modelVersion }),
    ...(answer.id !== undefined && { id: answer.id }),
    ...(answer.parameters !== undefined && { parameters: answer.parameters }),
    outputs: outputs.map(tensorJson),
  };
  return { ...end, counting, body: JSON.stringify(body) };
}

export function tensorJson({ name, shape, datatype, parameters, data }: Tensor): JsonObject {
  return { name, shape, datatype, ...(parameters !== undefined && { parameters }), data };
}

const errorBytesMax = 65_536;

/** The provider's status goes on; 401 and 403 would look like the caller's own credential, and redirects are not followed. */
function upstreamError(scan: CallScan, status: number, bytes: Uint8Array): Pick<RelayEnd, "refusal" | "upstream" | "abortedBy"> {
  const ours = status < 400 || status === 401 || status === 403;
  const value = readJson(bytes.subarray(0, errorBytesMax))?.value;
  const words = isRecord(value) && typeof value["error"] === "string" ? cleanWords(scan, { message: value["error"] }) : {};
  return { refusal: refuse("upstream_error", { message: `the provider answered with status ${status}`, status: ours ? 502 : status }), upstream: { status, ...words }, abortedBy: "upstream" };
}
