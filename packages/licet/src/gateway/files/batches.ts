import type { JsonObject } from "../../ledger/recorder.ts";
import { admitAgain, type Admission, type PipelineParts } from "../admission.ts";
import type { Caller, Inbound } from "../answer.ts";
import { readBody } from "../dialects/reading.ts";
import * as z from "../dialects/shape.ts";
import { classRefusal, concluded, registered } from "../judge.ts";
import { outsideClasses } from "../observe-mode.ts";
import { refuse, type Refusal } from "../refusal.ts";
import type { ModelView } from "../snapshot.ts";
import { batchLimits } from "./batch-limits.ts";
import { modelsOf } from "./batch-lines.ts";
import type { BoundId } from "./bound-id.ts";
import { carryOut, refusedAsk, type Done, type Operation, type StoreAsk, type StoreLine, type StoreRequest, type Turned } from "./operation.ts";
import { isStoredId } from "./paths.ts";
import { permits } from "./power.ts";
import { foundElsewhere, storeScan, verdictWith } from "./scan-file.ts";
import { failed, objectAnswer, type ObjectAnswer } from "./store-answer.ts";
import { endOperation, storedUse, useOperation, type StoredUse } from "./stored-use.ts";

const idCharactersMax = 200;
const name = z.string().min(1).max(idCharactersMax);
const BatchRequest = z.strictObject({
  input_file_id: name,
  endpoint: name,
  completion_window: z.literal("24h"),
  metadata: z.record(z.string().max(64), z.string().max(512)).max(16).nullish(),
  output_expires_after: z.strictObject({ anchor: z.literal("created_at"), seconds: z.int().min(3600).max(2_592_000) }).optional(),
});
type BatchRequest = z.output<typeof BatchRequest>;

/** Ids and states name things; what the provider says of errors, and what the caller said, are words. */
export const batchShape = { object: "batch", isFixed: (path: readonly (string | number)[]) => path[0] !== "errors" && path[0] !== "metadata" };

/** POST /openai/v1/batches: of a file whose lines were judged when it was stored, for this very release. */
export async function createBatch(parts: PipelineParts, inbound: Inbound, caller: Caller, { ask, turnedAway }: { readonly ask: StoreAsk; readonly turnedAway: Turned }): Promise<void> {
  const body = await inbound.body();
  const again = admitAgain(parts, inbound, ask.admission);
  if ("stranger" in again) return turnedAway(again.stranger);
  const asked = { ...ask, admission: again.admission };
  const read = "refusal" in body ? body : readBody(BatchRequest, body.bytes);
  if ("refusal" in read) return refusedAsk(parts, caller, asked, read.refusal);
  const use = await storedUse(parts, asked.admission, { object: "file", id: read.request.input_file_id, param: "input_file_id" });
  if ("refusal" in use) return refusedAsk(parts, caller, asked, use.refusal);
  const operation = await batchOperation(parts, asked, use, { request: read.request, json: read.json });
  return carryOut(parts, caller, operation, (line) => created(parts, line, { operation, file: use.bound }));
}

interface Asked {
  readonly request: BatchRequest;
  readonly json: JsonObject;
}

async function batchOperation({ external }: PipelineParts, ask: StoreAsk, use: StoredUse, { request, json }: Asked): Promise<Operation> {
  const { admission } = ask;
  const { bound } = use;
  const scan = storeScan(admission, json, (path) => path[0] !== "metadata");
  const elsewhere = await foundElsewhere(external, scan, Object.entries(request.metadata ?? {}).flat());
  const verdict = verdictWith(scan, scan.verdict, { elsewhere });
  const outside = classRefusal(outsideClasses(admission.credential.deployment, { ...verdict, leaving: [...verdict.leaving, ...bound.classes] }), "metadata");
  return {
    ...useOperation(ask, use),
    refusals: [batchLimits(admission), inputRefusal(admission, bound, request), elsewhere.refusal, outside, await modelsRefusal(admission, bound)],
    verdict,
    scan,
    requestBytes: Buffer.byteLength(JSON.stringify(json)),
    stored: { object: "batch", id: null, purpose: "batch", digest: bound.digest, lines: null },
    messages: json["metadata"] === undefined ? [] : [{ role: "metadata", content: JSON.stringify(scan.request["metadata"] ?? null) }],
  };
}

/** The lines were compared with the release that stored them, and with no other. */
function inputRefusal({ credential }: Admission, { purpose, release, endpoint }: BoundId, request: BatchRequest): Refusal | undefined {
  if (purpose !== "batch") return refuse("file_unknown", { message: `the file is one of purpose \`${purpose}\`, and a batch is of one of purpose \`batch\``, param: "input_file_id" });
  if (release !== credential.deployment.release) return refuse("file_stale", { param: "input_file_id" });
  return endpoint === request.endpoint ? undefined : refuse("request_unreadable", { message: `the lines of the file call \`${endpoint ?? ""}\``, param: "endpoint" });
}

/** What holds for each model now, not only when the file was stored. */
async function modelsRefusal(admission: Admission, { models, classes, provider }: BoundId): Promise<Refusal | undefined> {
  const known = modelsOf(admission, models);
  if (known === undefined) return refuse("model_undeclared", { param: "input_file_id" });
  for (const model of known) {
    const refusal = await modelRefusal(admission, model, { classes, provider });
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

async function modelRefusal(admission: Admission, model: ModelView, { classes, provider }: Pick<BoundId, "classes" | "provider">): Promise<Refusal | undefined> {
  if (!permits(model, "batches")) return refuse("permission_undeclared", { message: `the release does not permit \`batches\` for model \`${model.name}\``, param: "input_file_id", component: `model:${model.name}` });
  const registration = registered(admission, model);
  if (registration?.id !== provider) return refuse("provider_unknown", { param: "input_file_id" });
  const judged = await concluded(admission, { action: "callModel", model: { name: model.name, declared: model, provider: registration }, dataClasses: classes, ownRefusals: [] });
  return judged.refusal;
}

interface Creating {
  readonly operation: Operation;
  readonly file: BoundId;
}

async function created({ boundIds }: PipelineParts, line: StoreLine, { operation, file }: Creating): Promise<Done> {
  const body = JSON.stringify(operation.scan.request);
  const answer = objectAnswer(operation.scan, await line.send({ method: "POST", path: "/batches", body, contentType: "application/json" }), batchShape);
  if (answer.kind === "failed") return { end: answer.end };
  const { id } = answer.value;
  const isNew = isStoredId(id) && (await boundIds.find({ ...file, id })) === undefined;
  if (!isNew) return { end: failed(answer.end, "the provider's batch has no id of its own").end };
  return { end: answer.end, bound: [{ ...file, object: "batch", id, digest: null, bytes: 0, from: file.id }] };
}

export interface BatchUse {
  readonly ask: StoreAsk;
  readonly id: string;
}

/** GET /openai/v1/batches/{id} */
export async function retrieveBatch(parts: PipelineParts, caller: Caller, { ask, id }: BatchUse): Promise<void> {
  const use = await storedUse(parts, ask.admission, { object: "batch", id });
  if ("refusal" in use) return refusedAsk(parts, caller, ask, use.refusal);
  const operation = useOperation(ask, use);
  return carryOut(parts, caller, operation, (line) => batchAnswer(parts, line, { operation, batch: use.bound, request: { method: "GET", path: `/batches/${id}` } }));
}

/** POST /openai/v1/batches/{id}/cancel */
export async function cancelBatch(parts: PipelineParts, caller: Caller, { ask, id }: BatchUse): Promise<void> {
  const use = await storedUse(parts, ask.admission, { object: "batch", id });
  if ("refusal" in use) return refusedAsk(parts, caller, ask, use.refusal);
  const operation = endOperation(ask, use);
  return carryOut(parts, caller, operation, (line) => batchAnswer(parts, line, { operation, batch: use.bound, request: { method: "POST", path: `/batches/${id}/cancel` } }));
}

interface Answering {
  readonly operation: Operation;
  readonly batch: BoundId;
  readonly request: StoreRequest;
}

async function batchAnswer(parts: PipelineParts, line: StoreLine, { operation, batch, request }: Answering): Promise<Done> {
  return withOutputs(parts, objectAnswer(operation.scan, await line.send(request), batchShape), batch);
}

const outputs = ["output_file_id", "error_file_id"] as const;

/** Files that a batch came to are its system's; an id that is somebody's already is none of it. */
export async function withOutputs({ boundIds }: PipelineParts, answer: ObjectAnswer, batch: BoundId): Promise<Done> {
  if (answer.kind === "failed") return { end: answer.end };
  const bound: BoundId[] = [];
  for (const key of outputs) {
    const id = answer.value[key];
    if (id === undefined || id === null || id === "") continue;
    const known = isStoredId(id) ? await boundIds.find({ ...batch, id }) : undefined;
    if (!isStoredId(id) || (known !== undefined && known.from !== batch.id)) return { end: failed(answer.end, "the provider's batch names a file that is none of its own").end };
    if (known === undefined) bound.push({ ...batch, object: "file", id, purpose: "batch-output", digest: null, bytes: 0, from: batch.id });
  }
  return { end: answer.end, bound };
}
