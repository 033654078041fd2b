import { createHash, randomBytes } from "node:crypto";
import { admitAgain, readmit, type Admission, type PipelineParts } from "../admission.ts";
import type { Caller, Inbound } from "../answer.ts";
import { contentMode, isRecorded } from "../content.ts";
import { classRefusal } from "../judge.ts";
import { outsideClasses } from "../observe-mode.ts";
import { refuse, type Refusal } from "../refusal.ts";
import type { CallVerdict } from "../scan.ts";
import { batchLimits } from "./batch-limits.ts";
import { judgedLines, type JudgedLines } from "./batch-lines.ts";
import type { BoundId } from "./bound-id.ts";
import { readUpload, writtenForm, type Upload } from "./multipart.ts";
import { carryOut, refusedAsk, type Done, type Operation, type StoreAsk, type StoreLine, type Turned } from "./operation.ts";
import { isStoredId } from "./paths.ts";
import { readText } from "./readable.ts";
import { foundElsewhere, scanFile, storeScan, verdictWith } from "./scan-file.ts";
import { modelHeader, servedBy, type Served } from "./served.ts";
import { failed, objectAnswer } from "./store-answer.ts";

const form = "multipart/form-data";
/** Standings may change while a long file is judged; so often it is judged again. */
const judgingsMax = 3;

/** POST /openai/v1/files: read, scanned, judged, recorded; then it leaves, written anew. */
export async function upload(parts: PipelineParts, inbound: Inbound, caller: Caller, { ask, turnedAway }: { readonly ask: StoreAsk; readonly turnedAway: Turned }): Promise<void> {
  const body = await inbound.body(form);
  const again = admitAgain(parts, inbound, ask.admission);
  if ("stranger" in again) return turnedAway(again.stranger);
  const asked = { ...ask, admission: again.admission };
  const read = "refusal" in body ? body : readUpload(body.bytes, inbound.header("content-type") ?? "");
  if ("refusal" in read) return refusedAsk(parts, caller, asked, read.refusal);
  const { upload: file } = read;
  const asking = { ...asked, action: file.purpose === "batch" ? ("useBatch" as const) : ("useFile" as const) };
  const found = servedBy(asked.admission, file.purpose === "batch" ? "batches" : "files", inbound.header(modelHeader));
  if ("refusal" in found) return refusedAsk(parts, caller, asking, found.refusal);
  const ready = await judgedUpload(parts, asking, { file, served: found.served });
  if ("refusal" in ready) return refusedAsk(parts, caller, asking, ready.refusal);
  const { operation, content, binding } = ready;
  return carryOut(parts, caller, operation, (line) => sentFile(parts, line, { file, content, operation, binding }));
}

interface Uploading {
  readonly file: Upload;
  readonly served: Served;
}

interface ReadyUpload {
  readonly operation: Operation;
  readonly content: Uint8Array;
  readonly binding: Omit<BoundId, "id">;
}

/** What is decided on is what stands when the last character was read. */
async function judgedUpload(parts: PipelineParts, ask: StoreAsk, uploading: Uploading): Promise<ReadyUpload | { readonly refusal: Refusal }> {
  let { admission } = ask;
  for (let judged = 0; judged < judgingsMax; judged++) {
    const ready = await readUploaded(parts, { ...ask, admission }, uploading);
    const again = readmit(parts, admission);
    if (again === undefined) return { refusal: refuse(parts.snapshots.current() === undefined ? "snapshot_stale" : "credential_invalid") };
    if ("refusal" in ready || again.snapshot.version === admission.snapshot.version) return "refusal" in ready ? ready : { ...ready, operation: { ...ready.operation, admission: again } };
    admission = again;
  }
  return { refusal: refuse("gateway_busy", { message: "what holds for this system changes faster than the file can be judged" }) };
}

interface Judged {
  readonly text: string;
  readonly verdict: CallVerdict;
  readonly refusal: Refusal | undefined;
  readonly lines?: JudgedLines;
}

async function readUploaded(parts: PipelineParts, ask: StoreAsk, { file, served }: Uploading): Promise<ReadyUpload | { readonly refusal: Refusal }> {
  const { admission } = ask;
  const { purpose, filename } = file;
  const readable = readText(filename, file.bytes);
  if ("refusal" in readable) return readable;
  const unfit = purpose === "batch" && readable.writing !== "jsonl";
  if (unfit) return { refusal: refuse("content_unreadable", { message: "a file of calls is written in lines of JSON, and its name ends in .jsonl", param: "file" }) };
  const judged: Judged = purpose === "batch" ? await judgedCalls(parts, admission, { served, filename, text: readable.text }) : await scanFile(admission, parts.external, { ...readable, filename });
  const content = Buffer.from(judged.text);
  const { verdict, lines } = judged;
  const outside = classRefusal(outsideClasses(admission.credential.deployment, verdict), "file");
  const binding = bindingOf(admission, { file, served }, { ...judged, content });
  const operation: Operation = {
    ...ask,
    served,
    refusals: [purpose === "batch" ? batchLimits(admission) : undefined, judged.refusal, outside, userRefusal(admission, lines)],
    verdict,
    scan: storeScan(admission),
    requestBytes: file.bytes.length,
    stored: { object: "file", id: null, purpose, digest: binding.digest, lines: lines?.count ?? null },
    needs: needsOf(lines),
    messages: lines?.messages ?? [{ role: "file", content: judged.text }],
  };
  return { operation, content, binding };
}

function bindingOf({ credential }: Admission, { file, served }: Uploading, { verdict, lines, content }: Judged & { readonly content: Uint8Array }): ReadyUpload["binding"] {
  const { deployment, space } = credential;
  return {
    space,
    system: deployment.system,
    object: "file",
    provider: served.provider.id,
    deployment: deployment.id,
    release: deployment.release,
    purpose: file.purpose,
    digest: `sha256:${createHash("sha256").update(content).digest("hex")}`,
    bytes: content.length,
    classes: [...verdict.leaving],
    endpoint: lines?.endpoint ?? null,
    models: [...(lines?.models ?? [])],
    from: null,
  };
}

const needsMax = 1000;
const needCharactersMax = 400;

function needsOf(lines: JudgedLines | undefined): readonly string[] {
  return (lines?.needs ?? []).slice(0, needsMax).map((need) => need.slice(0, needCharactersMax).toWellFormed());
}

/** Words are sealed under the key of whom they are of; of several end users no one key would do. */
function userRefusal(admission: Admission, lines: JudgedLines | undefined): Refusal | undefined {
  const isKept = lines?.userAt !== undefined && isRecorded(contentMode({ ...admission, findings: lines.verdict.findings }));
  return isKept ? refuse("field_unsupported", { message: `line ${lines.userAt} names an end user, and where words are recorded a file of calls names none`, param: "user" }) : undefined;
}

interface Calls {
  readonly served: Served;
  readonly filename: string;
  readonly text: string;
}

async function judgedCalls(parts: PipelineParts, admission: Admission, { served, filename, text }: Calls): Promise<Judged> {
  const lines = await judgedLines(parts, admission, { served, text });
  const scan = storeScan(admission, { filename });
  // The lines' own words were asked about with each line.
  const elsewhere = await foundElsewhere(parts.external, scan, [filename, ...lines.customIds]);
  const named = verdictWith(scan, scan.verdict, { elsewhere });
  return { text: lines.text, verdict: joined(lines.verdict, named), refusal: lines.refusal ?? elsewhere.refusal, lines };
}

function joined(one: CallVerdict, other: CallVerdict): CallVerdict {
  const both = (key: "stopped" | "leaving"): readonly string[] => [...new Set([...one[key], ...other[key]])].sort();
  return { findings: [...one.findings, ...other.findings], redactions: [...one.redactions, ...other.redactions], stopped: both("stopped"), leaving: both("leaving") };
}

interface Sending extends Pick<ReadyUpload, "operation" | "content" | "binding"> {
  readonly file: Upload;
}

async function sentFile({ boundIds }: PipelineParts, line: StoreLine, { file, content, operation, binding }: Sending): Promise<Done> {
  const { body, contentType } = writtenForm(file, content, `licet-${randomBytes(16).toString("hex")}`);
  const answer = objectAnswer(operation.scan, await line.send({ method: "POST", path: "/files", body, contentType }), { object: "file", isFixed: (path) => path[0] !== "filename" });
  if (answer.kind === "failed") return { end: answer.end };
  const { id } = answer.value;
  // An id that means something already would make one system's file another's.
  const isNew = isStoredId(id) && (await boundIds.find({ ...binding, id })) === undefined;
  return isNew ? { end: answer.end, bound: [{ ...binding, id }] } : { end: failed(answer.end, "the provider's file has no id of its own").end };
}
