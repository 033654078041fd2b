import { readJson, wellFormed } from "../json.ts";
import { isRecord, nameCharactersMax, readParameters, readTensor, tensorsMax, type Parameters, type Tensor } from "./tensor.ts";

/** A provider's answer, of its fields only those that the protocol names. */
export interface InferAnswer {
  readonly modelName: string;
  readonly modelVersion?: string;
  readonly id?: string;
  readonly parameters?: Parameters;
  readonly outputs: readonly Tensor[];
}

/** Undefined for anything but a whole answer whose tensors fit their shapes. Fields that the protocol does not name are left out. */
export function readAnswer(bytes: Uint8Array): InferAnswer | undefined {
  const value = readJson(bytes)?.value;
  if (!isRecord(value) || !wellFormed(value)) return undefined;
  const named = names(value);
  const outputs = tensors(value["outputs"]);
  const parameters = readParameters(value["parameters"], "parameters");
  if (named === undefined || outputs === undefined || "wrong" in parameters) return undefined;
  return { ...named, ...(parameters.value !== undefined && { parameters: parameters.value }), outputs };
}

function names({ model_name: modelName, model_version: modelVersion, id }: Readonly<Record<string, unknown>>): Pick<InferAnswer, "modelName" | "modelVersion" | "id"> | undefined {
  if (!isText(modelName) || !isAbsentOrText(modelVersion) || !isAbsentOrText(id)) return undefined;
  return { modelName, ...(modelVersion !== undefined && { modelVersion }), ...(id !== undefined && { id }) };
}

function isAbsentOrText(value: unknown): value is string | undefined {
  return value === undefined || isText(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= nameCharactersMax;
}

function tensors(value: unknown): readonly Tensor[] | undefined {
  if (!Array.isArray(value) || value.length > tensorsMax) return undefined;
  const read: Tensor[] = [];
  for (const [position, each] of value.entries()) {
    const tensor = readTensor(each, `outputs[${position}]`, true);
    if ("wrong" in tensor) return undefined;
    read.push(tensor.value);
  }
  return read;
}
