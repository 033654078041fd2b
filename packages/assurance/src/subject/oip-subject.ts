import { createHash, randomUUID } from "node:crypto";
import { LicetError } from "@licet/contract";
import { z } from "zod";
import { type Answered, type Call, callEndpoint, endpointDefaults, type EndpointOptions, inBatches, thrown } from "./endpoint.ts";
import { isFloat, packed, unpackedTail } from "./oip-tensors.ts";
import type { Rows, Scores } from "./probe.ts";
import { classesOf, failed, plainAddress, QueryBudget, slice, type Subject } from "./subject.ts";
import { stale, VersionPin } from "./version-pin.ts";

export interface OipSubjectOptions extends Partial<EndpointOptions> {
  /** Address up to and with `/v2`. */
  readonly baseUrl: string;
  readonly model: string;
  /** Its name in the check. Default: that on the server. */
  readonly id?: string;
  /** Default: whatever the server serves first; it is pinned from then on. */
  readonly version?: string | undefined;
  /** Output that holds the scores, where the model has several. */
  readonly output?: string | undefined;
  /** Labels of the scores in their order. */
  readonly classes?: readonly string[] | undefined;
  /** Digest of the weights that are declared: a server that says another one is not asked. */
  readonly weights?: string | undefined;
  /** `binary`: numbers go and come as the bytes that they are. Default: as JSON. */
  readonly tensors?: "json" | "binary" | undefined;
  readonly queriesMax?: number;
}

const TensorMeta = z.object({ name: z.string().min(1).max(256), datatype: z.string(), shape: z.array(z.number()).max(8) });
const Metadata = z.object({
  name: z.string(), versions: z.array(z.string()).max(10_000).optional(), platform: z.string().optional(),
  inputs: z.array(TensorMeta).min(1).max(4096), outputs: z.array(TensorMeta).max(4096),
  /** How a server says which weights it serves. */
  parameters: z.object({ digest: z.string().max(200).optional() }).optional(),
});
type Metadata = z.infer<typeof Metadata>;

const Cells = z.array(z.union([z.number(), z.null(), z.boolean(), z.string(), z.array(z.union([z.number(), z.null()]))]));
const OutputTensor = z.object({
  name: z.string(), datatype: z.string(), shape: z.array(z.int().nonnegative()).min(1).max(8), data: Cells.optional(),
  parameters: z.object({ binary_data_size: z.int().nonnegative().optional() }).optional(),
});
const Inference = z.object({ id: z.string().optional(), model_name: z.string().optional(), model_version: z.string().optional(), outputs: z.array(OutputTensor).min(1).max(4096) });
type Inference = z.infer<typeof Inference>;

const featuresMax = 1_000_000;
const numeric = { json: /^(?:FP|U?INT)\d+$/u, binary: /^(?:FP|BF|U?INT)\d+$/u };

/**
 * A model behind the Open Inference Protocol, version 2, in its JSON form or with binary tensor data. The version that
 * answers first is pinned: an answer of another one, to the last question that `settle` asks, or other metadata at the
 * end, is `subject_stale`. All answers are hostile.
 */
export async function oipSubject(given: OipSubjectOptions): Promise<Subject> {
  const options = { ...endpointDefaults, ...given };
  const address = `${given.baseUrl.replace(/\/+$/u, "")}/models/${encodeURIComponent(given.model)}${given.version === undefined ? "" : `/versions/${encodeURIComponent(given.version)}`}`;
  const metadata = await metadataOf(address, options);
  const weights = attested(metadata, given.weights);
  const pin = new VersionPin(given.version);
  const budget = new QueryBudget(given.queriesMax);
  const pressure = { until: 0, waitedMs: 0 };
  const run = randomUUID();
  let batches = 0;
  let first: Rows | undefined;
  const score = async (part: Rows) => {
    batches += 1;
    const id = `${run}-${batches}`;
    const answer = await callEndpoint({ url: `${address}/infer`, ...requestFor(metadata, part, { id, output: given.output, binary: given.tensors === "binary" }), options, pressure });
    return answer.kind === "answer" ? { ...answer, scores: scoresFrom(answer, { part, id, pin, model: given.model, output: given.output }) } : answer;
  };
  return {
    kind: "oip",
    id: given.id ?? given.model,
    digest: null,
    width: widthOf(metadata),
    budget,
    classes: (columns) => classesOf(given.classes, columns),
    scores: async (rows) => {
      budget.take(rows.rows);
      const scores = await inBatches(rows, options, score);
      if (rows.rows > 0) first ??= slice(rows, 0, 1);
      return scores;
    },
    settle: async () => {
      const now = await metadataOf(address, options);
      if (JSON.stringify(now) !== JSON.stringify(metadata)) throw stale("its metadata is another than at the start");
      // Asked once more, so that a version that came after the last row is seen.
      if (pin.version !== null && first !== undefined) await inBatches(first, options, score);
    },
    served: () => ({ url: plainAddress(address), model: given.model, version: pin.version, metadata: `sha256:${createHash("sha256").update(JSON.stringify(metadata)).digest("hex")}`, weights }),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function attested({ parameters }: Metadata, declared: string | undefined): "attested" | "unseen" {
  const said = parameters?.digest;
  if (declared !== undefined && said !== undefined && said !== declared) throw stale("the server names other weights than the declared ones");
  return declared !== undefined && said === declared ? "attested" : "unseen";
}

/** The protocol's -1 leaves a size open. */
function widthOf({ inputs }: Metadata): number | undefined {
  const widths = inputs.map(({ shape }) => (shape.length > 1 ? (shape.at(-1) ?? -1) : 1));
  const open = widths.some((width) => !(width > 0));
  if (open && inputs.length > 1) throw failed("it takes several inputs and does not say how wide each is");
  const sum = widths.reduce((total, width) => total + width, 0);
  if (!open && sum > featuresMax) throw failed(`it takes more than ${featuresMax} features`);
  return open ? undefined : sum;
}

async function metadataOf(address: string, options: EndpointOptions & Pick<OipSubjectOptions, "tensors">): Promise<Metadata> {
  const answer: Answered = await callEndpoint({ url: address, options });
  if (answer.kind !== "answer") throw thrown(answer);
  const parsed = Metadata.safeParse(answer.body);
  if (!parsed.success) throw failed("its metadata is not that of the protocol", parsed.error);
  if (parsed.data.inputs.some(({ datatype, shape }) => !numeric[options.tensors ?? "json"].test(datatype) || shape.length > 2)) throw failed("it takes something else than rows of numbers");
  return parsed.data;
}

interface InputTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: string;
  readonly data: readonly number[];
}

/** Features are dealt to the inputs in order; each says how wide it is, or is the only one. */
function inputsFor(metadata: Metadata, rows: Rows): readonly InputTensor[] {
  const open = metadata.inputs.length === 1;
  let from = 0;
  return metadata.inputs.map(({ name, datatype, shape }) => {
    const declared = shape.length > 1 ? (shape.at(-1) ?? -1) : 1;
    const width = open ? rows.columns : Math.max(1, declared);
    const start = from;
    from += width;
    const data = Array.from({ length: rows.rows * width }, (_, index) => rows.data[Math.floor(index / width) * rows.columns + start + (index % width)] ?? Number.NaN);
    const whole = isFloat(datatype) ? data : data.map(Math.trunc);
    return { name, shape: shape.length > 1 ? [rows.rows, width] : [rows.rows], datatype, data: whole };
  });
}

/** A batch with a number that its datatype does not hold goes as JSON, where the server says what it makes of it. */
function requestFor(metadata: Metadata, part: Rows, { id, output, binary }: { readonly id: string; readonly output: string | undefined; readonly binary: boolean }): Pick<Call, "body" | "tail"> {
  const inputs = inputsFor(metadata, part);
  const tails = binary ? inputs.map(({ datatype, data }) => packed(datatype, data)) : [];
  const known = tails.filter((tail) => tail !== undefined);
  if (!binary || known.length < inputs.length) return { body: { id, inputs, ...(output !== undefined && { outputs: [{ name: output }] }) } };
  const heads = inputs.map(({ name, shape, datatype }, index) => ({ name, shape, datatype, parameters: { binary_data_size: known[index]?.length ?? 0 } }));
  const wanted = output === undefined ? { parameters: { binary_data_output: true } } : { outputs: [{ name: output, parameters: { binary_data: true } }] };
  return { body: { id, inputs: heads, ...wanted }, tail: Buffer.concat(known) };
}

interface Expected {
  readonly part: Rows;
  readonly id: string;
  readonly pin: VersionPin;
  readonly model: string;
  readonly output: string | undefined;
}

function scoresFrom({ body, tail }: Extract<Answered, { kind: "answer" }>, expected: Expected): Scores {
  const parsed = Inference.safeParse(body);
  if (!parsed.success) throw failed("its answer is not that of the protocol", parsed.error);
  const { id, model_name: model, model_version: version, outputs } = parsed.data;
  if (id !== undefined && id !== expected.id) throw failed("it answered another call than the one that was made");
  if (model !== undefined && model !== expected.model) throw failed(`the model \`${model.slice(0, 100)}\` answered`);
  expected.pin.check(version);
  const behind = unpackedTail(outputs.map(({ parameters, ...output }) => ({ ...output, bytes: parameters?.binary_data_size })), tail ?? new Uint8Array(0));
  const tensor = chosen(outputs, expected.output);
  const rows = expected.part.rows;
  const flat = dataOf(tensor, behind.get(tensor.name));
  const columns = tensor.shape.length > 1 ? (tensor.shape.at(-1) ?? 0) : 1;
  if (tensor.shape[0] !== rows || flat.length !== rows * columns || tensor.shape.length > 2) throw failed("its answer has another shape than rows by classes");
  return { rows, columns, scores: Float64Array.from(flat, (value) => (typeof value === "number" && Number.isFinite(value) ? value : Number.NaN)) };
}

/** In the JSON or behind it, and never both. */
function dataOf({ data }: Inference["outputs"][number], behind: Float64Array | undefined): readonly unknown[] {
  if (data === undefined && behind !== undefined) return [...behind];
  if (data === undefined || behind !== undefined) throw failed("its answer has no data, or has them twice");
  return data.flat();
}

function chosen(outputs: Inference["outputs"], name: string | undefined): Inference["outputs"][number] {
  const floats = outputs.filter((output) => (name === undefined ? isFloat(output.datatype) : output.name === name));
  const [found, more] = floats;
  if (found === undefined || more !== undefined) {
    const named = outputs.slice(0, 10).map((output) => `\`${output.name}\``).join(", ");
    const wrong = name === undefined ? `the model answers with ${floats.length} outputs that could be scores: name the one under \`output\`` : `the model answers with ${floats.length === 0 ? "no" : "more than one"} output \`${name}\`: correct \`output\``;
    throw new LicetError("model_output_unclear", { message: `${wrong}; it has ${named === "" ? "none" : named}`, at: { outputs: outputs.slice(0, 50).map((output) => output.name) } });
  }
  return found;
}
