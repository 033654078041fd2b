import { readJson, wellFormed } from "../json.ts";
import { refuse, type Refusal } from "../refusal.ts";
import { isName, isRecord, readParameters, readTensor, tensorsMax, unknownMember, wrong, type Parameters, type Read, type Tensor } from "./tensor.ts";

export interface WantedOutput {
  readonly name: string;
  readonly parameters?: Parameters;
}

/** A request to score, read once and trusted from here on: what is not listed here was refused, never passed on. */
export interface InferRequest {
  readonly id?: string;
  readonly parameters?: Parameters;
  readonly inputs: readonly Tensor[];
  readonly outputs?: readonly WantedOutput[];
}

/**
 * Reads the body of `POST …/infer` (Open Inference Protocol v2, REST, JSON form). Numbers are read as IEEE 754 doubles;
 * what would not come through that unchanged is refused.
 */
export function readInfer(bytes: Uint8Array): { readonly request: InferRequest } | { readonly refusal: Refusal } {
  const json = readJson(bytes);
  if (json === undefined) return { refusal: refuse("request_unreadable", { message: "the body is not JSON in UTF-8" }) };
  if (!wellFormed(json.value)) return { refusal: refuse("request_unreadable", { message: "the body nests too deep or holds half a surrogate pair" }) };
  const read = infer(json.value);
  if (!("wrong" in read)) return { request: read.value };
  const { code, param, message } = read.wrong;
  return { refusal: refuse(code, { param, message }) };
}

function infer(value: unknown): Read<InferRequest> {
  if (!isRecord(value)) return { wrong: { code: "request_unreadable", param: "", message: "the body is not an object" } };
  const odd = unknownMember(value, ["id", "parameters", "inputs", "outputs"]);
  if (odd !== undefined) return wrong("field_unsupported", odd, "is not a field that the gateway checks");
  const { id } = value;
  if (id !== undefined && !isName(id)) return wrong("request_unreadable", "id", "is not a short text");
  const parameters = readParameters(value["parameters"], "parameters");
  if ("wrong" in parameters) return parameters;
  const inputs = tensors(value["inputs"]);
  if ("wrong" in inputs) return inputs;
  const outputs = wanted(value["outputs"]);
  if ("wrong" in outputs) return outputs;
  return {
    value: {
      ...(id !== undefined && { id }),
      ...(parameters.value !== undefined && { parameters: parameters.value }),
      inputs: inputs.value,
      ...(outputs.value !== undefined && { outputs: outputs.value }),
    },
  };
}

function tensors(value: unknown): Read<readonly Tensor[]> {
  if (!Array.isArray(value) || value.length === 0 || value.length > tensorsMax) return wrong("request_unreadable", "inputs", `is not a list of one to ${tensorsMax} tensors`);
  const read: Tensor[] = [];
  for (const [position, each] of value.entries()) {
    const tensor = readTensor(each, `inputs[${position}]`);
    if ("wrong" in tensor) return tensor;
    if (read.some(({ name }) => name === tensor.value.name)) return wrong("request_unreadable", `inputs[${position}].name`, "stands twice");
    read.push(tensor.value);
  }
  return { value: read };
}

function wanted(value: unknown): Read<readonly WantedOutput[] | undefined> {
  if (value === undefined) return { value: undefined };
  if (!Array.isArray(value) || value.length > tensorsMax) return wrong("request_unreadable", "outputs", `is not a list of at most ${tensorsMax} outputs`);
  const read: WantedOutput[] = [];
  for (const [position, each] of value.entries()) {
    const at = `outputs[${position}]`;
    if (!isRecord(each) || !isName(each["name"])) return wrong("request_unreadable", `${at}.name`, "is not a name");
    const odd = unknownMember(each, ["name", "parameters"]);
    if (odd !== undefined) return wrong("field_unsupported", `${at}.${odd}`, "is not a field that the gateway checks");
    const parameters = readParameters(each["parameters"], `${at}.parameters`);
    if ("wrong" in parameters) return parameters;
    read.push({ name: each["name"], ...(parameters.value !== undefined && { parameters: parameters.value }) });
  }
  return { value: read };
}

/** Parameters that steer how a model is served, and no more than the protocol's own list: any other is a power of its own. */
const plainParameters: ReadonlySet<string> = new Set(["sequence_id", "sequence_start", "sequence_end", "priority", "timeout", "classification", "content_type"]);

/** What the release must permit by name, as `parameter:temperature`. */
export function neededPermissions({ parameters, inputs, outputs = [] }: InferRequest): readonly { readonly permission: string; readonly param: string }[] {
  const places = [{ at: "parameters", parameters }, ...inputs.map((each, position) => ({ at: `inputs[${position}].parameters`, parameters: each.parameters })), ...outputs.map((each, position) => ({ at: `outputs[${position}].parameters`, parameters: each.parameters }))];
  return places.flatMap(({ at, parameters: named = {} }) => Object.keys(named).flatMap((key) => (plainParameters.has(key) ? [] : [{ permission: `parameter:${key}`, param: `${at}.${key}` }])));
}
