import { createHash, randomUUID } from "node:crypto";
import { LicetError } from "@licet/contract";
import { z } from "zod";
import { type Answered, callEndpoint, endpointDefaults, type EndpointOptions, inBatches, thrown } from "./endpoint.ts";
import type { Rows, Scores } from "./probe.ts";
import { classesOf, failed, plainAddress, QueryBudget, type Subject } from "./subject.ts";
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
const OutputTensor = z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.int().nonnegative()).min(1).max(8), data: Cells });
const Inference = z.object({ id: z.string().optional(), model_name: z.string().optional(), model_version: z.string().optional(), outputs: z.array(OutputTensor).min(1).max(4096) });
type Inference = z.infer<typeof Inference>;

const featuresMax = 1_000_000;
const numeric = /^(?:FP|U?INT)\d+$/u;

/**
 * A model behind the Open Inference Protocol, version 2, in its JSON form. The version that answers first is pinned:
 * an answer of another one, or other metadata at the end, is `subject_stale`. All answers are hostile.
 */
export async function oipSubject(given: OipSubjectOptions): Promise<Subject> {
  const options = { ...endpointDefaults, ...given };
  const address = `${given.baseUrl.replace(/\/+$/u, "")}/models/${encodeURIComponent(given.model)}${given.version === undefined ? "" : `/versions/${encodeURIComponent(given.version)}`}`;
  const metadata = await metadataOf(address, options);
  const weights = attested(metadata, given.weights);
  const pin = new VersionPin(given.version);
  const budget = new QueryBudget(given.queriesMax);
  const pressure = { until: 0 };
  const run = randomUUID();
  let batches = 0;
  const score = async (part: Rows) => {
    batches += 1;
    const id = `${run}-${batches}`;
    const answer = await callEndpoint({ url: `${address}/infer`, body: { id, inputs: inputsFor(metadata, part), ...(given.output === undefined ? {} : { outputs: [{ name: given.output }] }) }, options, pressure });
    return answer.kind === "answer" ? { ...answer, scores: scoresFrom(answer.body, { part, id, pin, model: given.model, output: given.output }) } : answer;
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
      return inBatches(rows, options, score);
    },
    settle: async () => {
      const now = await metadataOf(address, options);
      if (JSON.stringify(now) !== JSON.stringify(metadata)) throw stale("its metadata is another than at the start");
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

async function metadataOf(address: string, options: EndpointOptions): Promise<Metadata> {
  const answer: Answered = await callEndpoint({ url: address, options });
  if (answer.kind !== "answer") throw thrown(answer);
  const parsed = Metadata.safeParse(answer.body);
  if (!parsed.success) throw failed("its metadata is not that of the protocol", parsed.error);
  if (parsed.data.inputs.some(({ datatype, shape }) => !numeric.test(datatype) || shape.length > 2)) throw failed("it takes something else than rows of numbers");
  return parsed.data;
}

/** Features are dealt to the inputs in order; each says how wide it is, or is the only one. */
function inputsFor(metadata: Metadata, rows: Rows): readonly object[] {
  const open = metadata.inputs.length === 1;
  let from = 0;
  return metadata.inputs.map(({ name, datatype, shape }) => {
    const declared = shape.length > 1 ? (shape.at(-1) ?? -1) : 1;
    const width = open ? rows.columns : Math.max(1, declared);
    const start = from;
    from += width;
    const data = Array.from({ length: rows.rows * width }, (_, index) => rows.data[Math.floor(index / width) * rows.columns + start + (index % width)] ?? Number.NaN);
    const whole = datatype.startsWith("FP") ? data : data.map(Math.trunc);
    return { name, shape: shape.length > 1 ? [rows.rows, width] : [rows.rows], datatype, data: whole };
  });
}

interface Expected {
  readonly part: Rows;
  readonly id: string;
  readonly pin: VersionPin;
  readonly model: string;
  readonly output: string | undefined;
}

function scoresFrom(body: unknown, expected: Expected): Scores {
  const parsed = Inference.safeParse(body);
  if (!parsed.success) throw failed("its answer is not that of the protocol", parsed.error);
  const { id, model_name: model, model_version: version, outputs } = parsed.data;
  if (id !== undefined && id !== expected.id) throw failed("it answered another call than the one that was made");
  if (model !== undefined && model !== expected.model) throw failed(`the model \`${model.slice(0, 100)}\` answered`);
  expected.pin.check(version);
  const tensor = chosen(outputs, expected.output);
  const rows = expected.part.rows;
  const flat = tensor.data.flat();
  const columns = tensor.shape.length > 1 ? (tensor.shape.at(-1) ?? 0) : 1;
  if (tensor.shape[0] !== rows || flat.length !== rows * columns || tensor.shape.length > 2) throw failed("its answer has another shape than rows by classes");
  return { rows, columns, scores: Float64Array.from(flat, (value) => (typeof value === "number" && Number.isFinite(value) ? value : Number.NaN)) };
}

function chosen(outputs: Inference["outputs"], name: string | undefined): Inference["outputs"][number] {
  const floats = outputs.filter((output) => (name === undefined ? output.datatype.startsWith("FP") : output.name === name));
  const [found, more] = floats;
  if (found === undefined || more !== undefined) {
    throw new LicetError("model_output_unclear", { message: `the model answers with ${floats.length} outputs that could be scores: name the one under \`output\``, at: { outputs: outputs.slice(0, 50).map((output) => output.name) } });
  }
  return found;
}
