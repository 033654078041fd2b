import type { JsonObject } from "../../ledger/recorder.ts";
import type { PipelineParts } from "../admission.ts";
import type { Caller, Inbound } from "../answer.ts";
import { refuse, type Refusal } from "../refusal.ts";
import type { RelayEnd } from "../relay.ts";
import type { Counting } from "../scan.ts";
import { batchShape, withOutputs } from "./batches.ts";
import type { BoundId, IdPlace } from "./bound-id.ts";
import type { IdPage } from "./bound-ids.ts";
import { fileShape } from "./files.ts";
import { carryOut, refusedAsk, type Done, type Operation, type StoreAsk, type StoreLine } from "./operation.ts";
import { isStoredId } from "./paths.ts";
import { storeScan } from "./scan-file.ts";
import { modelHeader, servedBy } from "./served.ts";
import { staleRefusal } from "./standing.ts";
import { objectAnswer, type ObjectAnswer } from "./store-answer.ts";

/** Each is asked for by itself, so that nothing of another system's comes in. */
const limitMax = 100;
const limitDefault = 20;

interface Listing {
  readonly limit: number;
  readonly after: string | undefined;
  readonly purpose: string | undefined;
  readonly oldestFirst: boolean;
}

const known: ReadonlySet<string> = new Set(["limit", "after", "purpose", "order"]);

function readQuery(query = ""): Listing | { readonly refusal: Refusal } {
  const params = new URLSearchParams(query);
  const unknown = [...params.keys()].find((key) => !known.has(key));
  if (unknown !== undefined) return { refusal: refuse("field_unsupported", { message: `\`${unknown}\` is not a field that the gateway checks`, param: unknown }) };
  const [limit, after, purpose, order] = ["limit", "after", "purpose", "order"].map((key) => params.get(key) ?? undefined);
  if (limit !== undefined && !/^[1-9]\d{0,4}$/u.test(limit)) return { refusal: refuse("request_unreadable", { param: "limit" }) };
  if (after !== undefined && !isStoredId(after)) return { refusal: refuse("file_unknown", { param: "after" }) };
  if (order !== undefined && order !== "asc" && order !== "desc") return { refusal: refuse("request_unreadable", { param: "order" }) };
  return { limit: Math.min(limitMax, limit === undefined ? limitDefault : Number(limit)), after, purpose: purpose === "batch_output" ? "batch-output" : purpose, oldestFirst: order === "asc" };
}

/** GET /openai/v1/files and /openai/v1/batches: the caller's own, as the provider has them now. */
export async function listStored(parts: PipelineParts, inbound: Inbound, caller: Caller, { ask, object }: { readonly ask: StoreAsk; readonly object: BoundId["object"] }): Promise<void> {
  const { admission } = ask;
  const read = readQuery(inbound.query);
  if ("refusal" in read) return refusedAsk(parts, caller, ask, read.refusal);
  const found = listServed(ask, object, inbound.header(modelHeader));
  if ("refusal" in found) return refusedAsk(parts, caller, ask, found.refusal);
  const { space, deployment } = admission.credential;
  const page = await parts.boundIds.page({ space, system: deployment.system, object, provider: found.served.provider.id, ...read, fits: (bound) => staleRefusal(admission, bound) === undefined });
  const operation: Operation = { ...ask, served: found.served, refusals: [], scan: storeScan(admission), requestBytes: 0, stored: { object, id: null, purpose: null, digest: null, lines: null } };
  return carryOut(parts, caller, operation, (line) => listed(parts, line, { operation, page, object }));
}

/** Whoever may do either may see what there is. */
function listServed({ admission }: StoreAsk, object: BoundId["object"], named: string | undefined): ReturnType<typeof servedBy> {
  const batches = servedBy(admission, "batches", named);
  if (object === "batch") return batches;
  const files = servedBy(admission, "files", named);
  return "served" in files || files.refusal.code === "provider_ambiguous" || "refusal" in batches ? files : batches;
}

interface Listed {
  readonly operation: Operation;
  readonly page: IdPage;
  readonly object: BoundId["object"];
}

/** State of one list while it is asked for; owned by `listed`. */
class Collecting {
  readonly data: JsonObject[] = [];
  readonly bound: BoundId[] = [];
  readonly unbound: IdPlace[] = [];
  readonly counting: Counting = { found: new Map(), taken: new Map() };

  take(value: JsonObject, { end: { counting }, bound = [] }: Done): void {
    this.data.push(value);
    this.bound.push(...bound);
    for (const each of ["found", "taken"] as const) for (const [type, count] of counting[each]) this.counting[each].set(type, count + (this.counting[each].get(type) ?? 0));
  }
}

/** One that the provider no longer has ends no list, and is forgotten. */
async function listed(parts: PipelineParts, line: StoreLine, { operation, page, object }: Listed): Promise<Done> {
  const list = new Collecting();
  let last = nothingAsked;
  for (const each of page.ids) {
    const answer = await asked(line, operation, each);
    const gone = answer.kind === "failed" && answer.end.upstreamStatus === 404;
    last = answer.end;
    if (gone) {
      list.unbound.push(each);
      continue;
    }
    const done = object === "batch" ? await withOutputs(parts, answer, each) : { end: answer.end };
    if (done.end.refusal !== undefined || answer.kind === "failed") return { bound: list.bound, unbound: list.unbound, end: done.end };
    list.take(answer.value, done);
  }
  const { data, bound, unbound, counting } = list;
  const body = JSON.stringify({ object: "list", data, first_id: data[0]?.["id"] ?? null, last_id: data.at(-1)?.["id"] ?? null, has_more: page.more });
  const { headers, bytes, upstreamStatus, firstByteAt } = last;
  return { end: { ...nothingAsked, headers, bytes, upstreamStatus, firstByteAt, counting, body }, bound, unbound };
}

function asked(line: StoreLine, { scan }: Operation, { id, object }: BoundId): Promise<ObjectAnswer> {
  const shape = object === "batch" ? batchShape : fileShape;
  return line.send({ method: "GET", path: object === "batch" ? `/batches/${id}` : `/files/${id}` }).then((answer) => objectAnswer(scan, answer, shape));
}

const nothingAsked: RelayEnd = { headers: {}, started: false, counting: { found: new Map(), taken: new Map() }, usage: null, finishReasons: [], bytes: 0, events: 0, upstreamStatus: null, firstByteAt: null };
