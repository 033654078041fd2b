import type { JsonObject } from "../../ledger/recorder.ts";
import type { Admission } from "../admission.ts";
import { declaredModel } from "../conform.ts";
import { apart, edited } from "../detect/edits.ts";
import { rulesFor, type DetectionRules } from "../detect/rules.ts";
import type { ExternalLines } from "../detect/external.ts";
import type { JsonPath } from "../dialect.ts";
import { answerCheck, askedRequest } from "../external-check.ts";
import { classRefusal, concluded, providerRefusal, registered, undeclared, type CallJudgement } from "../judge.ts";
import { observed, outsideClasses, scannedBoundary } from "../observe-mode.ts";
import { protocolOf } from "../provider.ts";
import { refuse, type Refusal } from "../refusal.ts";
import { openScan } from "../scan.ts";
import type { ModelView, ProviderView } from "../snapshot.ts";
import { standingRefusal, vendorRefusal } from "../standing.ts";
import { neededPermissions, type InferRequest } from "./infer-request.ts";
import { stringsOf, type Tensor } from "./tensor.ts";

/** A call that scores, read and not judged yet. */
export interface ScoreCall {
  /** As the caller's path names it. */
  readonly model: string;
  readonly version: string | undefined;
  readonly request: InferRequest;
}

/** The digest of the weights that the provider's metadata named last; undefined where it is not known. */
export type KnownDigest = (provider: ProviderView, model: ModelView) => string | undefined;

export interface ScoreJudging {
  readonly known: KnownDigest;
  readonly external: ExternalLines | undefined;
}

/** Judges a call that scores by all that is known, as `judge` does a call to a language model. */
export async function judgeScore(asking: Admission, call: ScoreCall, { known, external: lines }: ScoreJudging): Promise<CallJudgement> {
  const { deployment } = asking.credential;
  const model = declaredModel(deployment, call.model);
  const provider = registered(asking, model);
  const rules = rulesFor(asking.snapshot.spaces.get(asking.credential.space), deployment.system);
  const boundary = scannedBoundary(deployment, asking.now);
  const words = wordsOf(call);
  const external = await askedRequest({ lines, rules }, words, isFixed);
  const scan = openScan({ rules, boundary, request: words, isFixed, more: external?.more });
  const stopped = [...new Set([...scan.verdict.stopped, ...splitClasses(rules, boundary, call.request.inputs)])].sort();
  const concluding = await concluded(asking, {
    action: "score",
    model: { name: call.model, ...(model && { declared: model }), ...(provider && { provider }) },
    dataClasses: scan.verdict.leaving,
    ownRefusals: [
      standingRefusal(asking),
      vendorRefusal(asking, provider?.vendor),
      external?.refusal,
      model === undefined ? undeclared(call.model) : providerRefusal(deployment, provider),
      protocolRefusal(provider),
      classRefusal(outsideClasses(deployment, { ...scan.verdict, stopped }), "inputs"),
      model && (versionRefusal(model, call.version) ?? digestRefusal(model, provider && known(provider, model)) ?? needRefusal(model, call.request)),
    ],
  });
  const judged = { ...concluding, model, provider, findings: scan.verdict.findings, stopped, scan, check: answerCheck({ lines, rules }, boundary) };
  return { ...judged, ...(await observed(asking, judged, { action: "score", model: call.model, fits: (each) => protocolOf(each) === "oip" })) };
}

/** A provider is asked only in the protocol that it was registered with. */
function protocolRefusal(provider: ProviderView | undefined): Refusal | undefined {
  if (provider === undefined || protocolOf(provider) === "oip") return undefined;
  return refuse("provider_mismatch", { param: "model" });
}

function versionRefusal(model: ModelView, asked: string | undefined): Refusal | undefined {
  if (asked === undefined || asked === model.version) return undefined;
  return refuse("release_mismatch", { message: `the release declares ${model.version === undefined ? "no version" : `version \`${model.version}\``} of model \`${model.name}\`, and the call names \`${asked}\``, param: "version", component: `model:${model.name}` });
}

/** Where the provider names no digest, the release's own word stands, and the record says so. */
export function digestRefusal(model: ModelView, found: string | undefined): Refusal | undefined {
  if (model.digest === undefined || found === undefined || found === model.digest) return undefined;
  return refuse("release_mismatch", { message: `the provider serves other weights of \`${model.name}\` than the release declares`, param: "model", component: `model:${model.name}` });
}

function needRefusal(model: ModelView, request: InferRequest): Refusal | undefined {
  const missing = neededPermissions(request).find(({ permission }) => model.permissions?.includes(permission) !== true);
  return missing && refuse("permission_undeclared", { message: `the release does not permit \`${missing.permission}\` for model \`${model.name}\``, param: missing.param, component: `model:${model.name}` });
}

/** What of a request is words: numbers are not read by detectors of text, and there may be millions of them. */
function wordsOf({ model, version, request: { id, parameters, inputs, outputs } }: ScoreCall): JsonObject {
  return {
    model,
    ...(version !== undefined && { version }),
    ...(id !== undefined && { id }),
    ...(parameters !== undefined && { parameters }),
    inputs: inputs.map(tensorWords),
    ...(outputs !== undefined && { outputs: outputs.map(({ name, parameters: named }) => ({ name, ...(named !== undefined && { parameters: named }) })) }),
  };
}

export function tensorWords(tensor: Tensor): JsonObject {
  const { name, parameters, datatype, data } = tensor;
  return { name, ...(parameters !== undefined && { parameters }), ...(datatype === "BYTES" && { data }) };
}

/** Data may be rewritten, names and parameters may not. */
export function isFixed(path: JsonPath): boolean {
  return path[2] !== "data";
}

const joinedCharactersMax = 1_048_576;

/** Classes of what shows only when the strings of a tensor are read as one. */
function splitClasses(rules: DetectionRules, boundary: readonly string[], inputs: readonly Tensor[]): readonly string[] {
  return splitTypes(rules, inputs, (type) => rules.action(type, boundary) !== "flag").map((type) => rules.classes.get(type) ?? "attack");
}

/** Types of what shows only when the strings of a tensor are read as one: nothing is hidden by spreading it over elements. */
export function splitTypes(rules: DetectionRules, tensors: readonly Tensor[], isStopped: (type: string) => boolean): readonly string[] {
  return tensors.flatMap((tensor) => {
    const strings = stringsOf(tensor);
    if (strings.length < 2) return [];
    // What stands whole in one element is taken out there.
    const rest = strings.map((text) => edited(text, apart(rules.scan(text).flatMap((match) => (isStopped(match.type) ? [{ ...match, action: "mask" as const }] : []))).map(({ start, end }) => ({ start, end, replacement: " [] " }))));
    const joined = rules.scan(rest.join("").slice(0, joinedCharactersMax)).map(({ type }) => type);
    return joined.filter(isStopped);
  });
}

/** The request as it may leave: with the words that detection replaced. */
export function leavingRequest(request: InferRequest, edited: JsonObject): InferRequest {
  const inputs = edited["inputs"];
  if (!Array.isArray(inputs)) return request;
  return { ...request, inputs: request.inputs.map((tensor, at) => withData(tensor, inputs[at])) };
}

/** The tensor with the strings of another reading of it; itself where they are no data of its own. */
export function withData(tensor: Tensor, words: unknown): Tensor {
  const data = typeof words === "object" && words !== null && "data" in words ? words.data : undefined;
  return tensor.datatype === "BYTES" && Array.isArray(data) ? { ...tensor, data } : tensor;
}
