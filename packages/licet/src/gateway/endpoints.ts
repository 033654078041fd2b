import type { PipelineParts } from "./admission.ts";
import { refusalBody, refusalEvent, type Caller, type ErrorForm, type Inbound } from "./answer.ts";
import { dialects } from "./dialects/all.ts";
import { filesEndpoint } from "./files/mount.ts";
import { oipForm } from "./oip/error-form.ts";
import { callModel, listModels, unsupported, type ModelList } from "./pipeline.ts";
import { refuse, type Refusal } from "./refusal.ts";
import type { ModelView } from "./snapshot.ts";

const byPath = new Map(dialects.map((dialect) => [`POST ${dialect.path}`, dialect]));
export const ownForm: ErrorForm = { errorBody: refusalBody, errorEvent: refusalEvent };

/** How a path's surface says no: that of the first dialect below the same prefix. */
export function formOf(path: string): ErrorForm {
  const prefix = path.split("/", 2)[1] ?? "";
  if (prefix === "oip") return oipForm;
  return dialects.find((dialect) => dialect.path.startsWith(`/${prefix}/`)) ?? ownForm;
}

/** Every endpoint of the data plane that has to do with models; undefined for a path of nobody's. */
export function modelEndpoint(parts: PipelineParts, inbound: Inbound, caller: Caller): Promise<void> | undefined {
  const dialect = byPath.get(`${inbound.method} ${inbound.path}`);
  if (dialect !== undefined) {
    return callModel(parts, dialect, inbound, caller);
  }
  const list = inbound.method === "GET" ? modelList(inbound.path) : undefined;
  return list === undefined ? filesEndpoint(parts, inbound, caller) : listModels(parts, inbound, caller, list);
}

/** Nothing that nobody checks passes. */
export function deniedEndpoint(parts: PipelineParts, inbound: Inbound, caller: Caller): Promise<void> {
  return unsupported(parts, inbound, caller, { refusal: denial(inbound.path), form: formOf(inbound.path) });
}

const stored = /^\/(?:openai\/v1\/(?:files|uploads|batches)|anthropic\/v1\/(?:files|messages\/batches))(?:\/|$)/u;

function denial(path: string): Refusal {
  return stored.test(path) ? refuse("files_denied") : refuse("endpoint_unsupported");
}

const openaiModels = "/openai/v1/models";
const anthropicModels = "/anthropic/v1/models";

function modelList(path: string): ModelList | undefined {
  const root = [openaiModels, anthropicModels].find((each) => path === each || path.startsWith(`${each}/`));
  if (root === undefined) return undefined;
  const form = formOf(root);
  const show = root === openaiModels ? openaiModel : anthropicModel;
  const wanted = path === root ? undefined : decoded(path.slice(root.length + 1));
  const body = wanted === undefined ? (root === openaiModels ? openaiList : anthropicList) : (models: readonly ModelView[]) => single(models, wanted, show);
  return { endpoint: root, form, body };
}

/** Percent signs are the client's way to write a name; one that cannot be read names no model. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return "";
  }
}

function single(models: readonly ModelView[], name: string, show: (model: ModelView) => object): string | undefined {
  const model = models.find((each) => each.name === name) ?? models.find((each) => each.model === name);
  return model === undefined ? undefined : JSON.stringify(show(model));
}

function openaiModel({ name, provider }: ModelView): object {
  return { id: name, object: "model", created: 0, owned_by: provider };
}

function openaiList(models: readonly ModelView[]): string {
  return JSON.stringify({ object: "list", data: models.map(openaiModel) });
}

function anthropicModel({ name }: ModelView): object {
  return { type: "model", id: name, display_name: name, created_at: "1970-01-01T00:00:00Z" };
}

function anthropicList(models: readonly ModelView[]): string {
  return JSON.stringify({ data: models.map(anthropicModel), has_more: false, first_id: models[0]?.name ?? null, last_id: models.at(-1)?.name ?? null });
}
