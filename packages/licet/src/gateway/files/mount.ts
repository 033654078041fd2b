import { admit, refusedStranger, type PipelineParts, type Stranger } from "../admission.ts";
import type { Caller, Inbound } from "../answer.ts";
import { bareFacts } from "../facts.ts";
import { watched } from "../observed-call.ts";
import { cancelBatch, createBatch, retrieveBatch } from "./batches.ts";
import { deleteFile, fileContent, retrieveFile } from "./files.ts";
import { listStored } from "./lists.ts";
import { filesForm, type StoreAsk, type Turned } from "./operation.ts";
import { filesRoute, type FilesRoute } from "./paths.ts";
import { upload } from "./upload.ts";

/** OpenAI's files and batches; undefined for every other endpoint. */
export function filesEndpoint(parts: PipelineParts, inbound: Inbound, caller: Caller): Promise<void> | undefined {
  const route = filesRoute(inbound.method, inbound.path);
  return route === undefined ? undefined : serve(parts, inbound, caller, route);
}

async function serve(parts: PipelineParts, inbound: Inbound, caller: Caller, route: FilesRoute): Promise<void> {
  const action = route.kind.includes("batch") ? "useBatch" : "useFile";
  const { endpoint } = route;
  const seen = watched(parts, inbound);
  const turnedAway = (stranger: Stranger): Promise<void> => {
    const { now, snapshot } = stranger;
    return refusedStranger(parts, caller, { stranger, kind: "gateway.decision", facts: bareFacts({ action, endpoint, time: now, snapshot }), form: filesForm, watched: seen });
  };
  const admitted = admit(parts, inbound);
  if ("stranger" in admitted) return turnedAway(admitted.stranger);
  const ask: StoreAsk = { admission: admitted.admission, seen, action, endpoint };
  return "id" in route ? one(parts, caller, { ask, route }) : all(parts, inbound, caller, { ask, turnedAway, kind: route.kind });
}

interface AskedOfAll {
  readonly ask: StoreAsk;
  readonly turnedAway: Turned;
  readonly kind: Exclude<FilesRoute, { readonly id: string }>["kind"];
}

async function all(parts: PipelineParts, inbound: Inbound, caller: Caller, { ask, turnedAway, kind }: AskedOfAll): Promise<void> {
  switch (kind) {
    case "upload":
      return upload(parts, inbound, caller, { ask, turnedAway });
    case "create-batch":
      return createBatch(parts, inbound, caller, { ask, turnedAway });
    case "list-files":
    case "list-batches":
      return listStored(parts, inbound, caller, { ask, object: kind === "list-files" ? "file" : "batch" });
    default:
      return kind satisfies never;
  }
}

async function one(parts: PipelineParts, caller: Caller, { ask, route }: { readonly ask: StoreAsk; readonly route: Extract<FilesRoute, { readonly id: string }> }): Promise<void> {
  const { kind, id } = route;
  switch (kind) {
    case "file":
      return retrieveFile(parts, caller, { ask, id });
    case "content":
      return fileContent(parts, caller, { ask, id });
    case "delete-file":
      return deleteFile(parts, caller, { ask, id });
    case "batch":
      return retrieveBatch(parts, caller, { ask, id });
    case "cancel-batch":
      return cancelBatch(parts, caller, { ask, id });
    default:
      return kind satisfies never;
  }
}
