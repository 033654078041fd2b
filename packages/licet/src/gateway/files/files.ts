import type { PipelineParts } from "../admission.ts";
import type { Caller } from "../answer.ts";
import { batchDialect } from "./batch-lines.ts";
import { batchOutput } from "./batch-output.ts";
import type { BoundId } from "./bound-id.ts";
import { checked } from "./checked.ts";
import { carryOut, refusedAsk, type Done, type Operation, type StoreAsk, type StoreLine } from "./operation.ts";
import { scannedText } from "./scan-file.ts";
import { endOperation, storedUse, useOperation } from "./stored-use.ts";
import { bytesAnswer, failed, objectAnswer } from "./store-answer.ts";
import { answerRefusal } from "../stream.ts";
import type { RelayEnd } from "../relay.ts";
import { toolJudge } from "../tools/tool-judge.ts";
import { Transcript } from "../transcript.ts";

/** Names of a file's answer that say nothing of anybody's. */
export const fileShape = { object: "file", isFixed: (path: readonly (string | number)[]) => path[0] !== "filename" };

interface FileUse {
  readonly ask: StoreAsk;
  readonly id: string;
}

/** GET /openai/v1/files/{id} */
export async function retrieveFile(parts: PipelineParts, caller: Caller, { ask, id }: FileUse): Promise<void> {
  const use = await storedUse(parts, ask.admission, { object: "file", id });
  if ("refusal" in use) return refusedAsk(parts, caller, ask, use.refusal);
  const operation = useOperation(ask, use);
  return carryOut(parts, caller, operation, async (line) => ({ end: objectAnswer(operation.scan, await line.send({ method: "GET", path: `/files/${id}` }), fileShape).end }));
}

/** DELETE /openai/v1/files/{id}: one that the provider no longer has is gone as well. */
export async function deleteFile(parts: PipelineParts, caller: Caller, { ask, id }: FileUse): Promise<void> {
  const use = await storedUse(parts, ask.admission, { object: "file", id });
  if ("refusal" in use) return refusedAsk(parts, caller, ask, use.refusal);
  const operation = endOperation(ask, use);
  return carryOut(parts, caller, operation, async (line): Promise<Done> => {
    const answer = objectAnswer(operation.scan, await line.send({ method: "DELETE", path: `/files/${id}` }), { object: "file", isFixed: () => true });
    const gone = answer.kind === "object" ? answer.value["deleted"] === true : answer.end.upstreamStatus === 404;
    return { end: answer.end, unbound: gone ? [use.bound] : [] };
  });
}

/** GET /openai/v1/files/{id}/content: what comes back is an answer, and read as one. */
export async function fileContent(parts: PipelineParts, caller: Caller, { ask, id }: FileUse): Promise<void> {
  const use = await storedUse(parts, ask.admission, { object: "file", id });
  if ("refusal" in use) return refusedAsk(parts, caller, ask, use.refusal);
  const operation = useOperation(ask, use);
  return carryOut(parts, caller, operation, (line) => contentAnswer(parts, line, { operation, bound: use.bound }));
}

interface Content {
  readonly operation: Operation;
  readonly bound: BoundId;
}

const contentHeaders = { "content-type": "application/octet-stream" };
const utf8 = new TextDecoder("utf-8", { fatal: true });

async function contentAnswer(parts: PipelineParts, line: StoreLine, { operation, bound }: Content): Promise<Done> {
  const answer = bytesAnswer(operation.scan, await line.send({ method: "GET", path: `/files/${bound.id}/content` }));
  if (answer.kind === "failed") return { end: answer.end };
  const text = decoded(answer.bytes);
  if (text === undefined) return { end: failed(answer.end, "the provider's file is not text in UTF-8").end };
  const dialect = bound.purpose === "batch-output" ? batchDialect(bound.endpoint ?? "") : undefined;
  const end = dialect === undefined ? await plainContent(operation, answer.end, text) : await batchOutput(operation.scan, answer.end, { text, dialect, tools: toolJudge(parts, { admission: operation.admission, ...operation.served, models: operation.admission.credential.deployment.models.filter(({ name }) => bound.models.includes(name)) }) });
  return { end: await checked(parts, operation, end), headers: contentHeaders };
}

async function plainContent({ scan }: Operation, end: RelayEnd, text: string): Promise<RelayEnd> {
  const { text: body, counting, blocked } = await scannedText(scan, text);
  if (blocked !== undefined) return { ...end, counting, refusal: answerRefusal(scan, counting), abortedBy: "boundary" };
  const transcript = new Transcript();
  transcript.add("content", body);
  return { ...end, counting, body, said: transcript };
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
