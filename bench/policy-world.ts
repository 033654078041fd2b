/** Policy sets and requests for the policy bench: the installation's own packs, their scenarios as requests, and 1,000 scoped policies. */
import { compileSchema, entityStore, prepareRequest, type Schema, type ContextJson, type EntityJson, type EntityStore, type PolicyJson, type PreparedRequest, type SchemaJson } from "@licet/cedar";
import { writeValue } from "../packages/cedar/src/value-json.ts";
import { policySetTextToParts, policyToJson, schemaToJsonWithResolvedTypes } from "@cedar-policy/cedar-wasm/nodejs";
import { builtinSource } from "../packages/licet/src/policy/builtin.ts";
import type { Bundle, BundlePolicy } from "../packages/licet/src/policy/bundle-form.ts";
import type { PolicyRequest } from "../packages/licet/src/policy/request.ts";
import { readScenarios } from "../packages/licet/src/policy/scenario.ts";
import { cedarRecord } from "../packages/licet/src/policy/value.ts";

export interface World {
  readonly schema: string;
  readonly schemaJson: SchemaJson;
  readonly policies: readonly BundlePolicy[];
  readonly requests: readonly PolicyRequest[];
}

/** Compiling the whole bundle with all its checks takes a while and is no part of a decision: the texts are only parsed. */
export function readWorld(): World {
  const { schema, builtin } = builtinSource();
  const answer = schemaToJsonWithResolvedTypes(schema);
  if (answer.type === "failure") throw new Error(answer.errors.map((error) => error.message).join("; "));
  const policies = builtin.flatMap((pack) => pack.policies.flatMap(({ text }) => partsOf(text)).map((text) => bundlePolicy(text, pack.name)));
  const requests = builtin.flatMap((pack) => pack.scenarios.flatMap(({ text, path }) => readScenarios(text, path))).map(({ request }) => request);
  return { schema, schemaJson: answer.json as SchemaJson, policies, requests };
}

/** For a decider: what `compileBundle` would make of the installation's packs, without scenarios and golden decisions. */
export function worldBundle({ schema, schemaJson, policies }: World): Bundle {
  return { v: 2, schema, schemaJson, packs: [], policies, golden: [], digest: `sha256:${"0".repeat(64)}` };
}

function partsOf(text: string): readonly string[] {
  const parts = policySetTextToParts(text);
  if (parts.type === "failure") throw new Error(parts.errors.map((error) => error.message).join("; "));
  return parts.policies;
}

function bundlePolicy(text: string, pack: string): BundlePolicy {
  const answer = policyToJson(text);
  if (answer.type === "failure") throw new Error(answer.errors.map((error) => error.message).join("; "));
  const json = answer.json as PolicyJson;
  const annotations = Object.fromEntries(Object.entries(json.annotations ?? {}).map(([name, value]) => [name, value ?? ""]));
  return { id: annotations["id"] ?? "", pack, effect: json.effect, text, json, annotations, mode: "enforce" };
}

export type Policies = Readonly<Record<string, PolicyJson>>;

export function whole(world: World): Policies {
  return Object.fromEntries(world.policies.map(({ id, json }) => [id, json]));
}

const seventeenCount = 17;

/** Those that are about model calls first, then others of run time: as many as the first domain set had. */
export function seventeen(world: World): Policies {
  const about = (name: string) => world.policies.filter(({ json }) => JSON.stringify(json.action).includes(`"${name}"`));
  const chosen = [...new Set([...about("runtime"), ...about("callModel"), ...about("callTool")])].slice(0, seventeenCount);
  return Object.fromEntries(chosen.map(({ id, json }) => [id, json]));
}

/** The seventeen, and rules of many teams: each forbids something to workloads of one deployment, as the seventeen do to all. */
export function thousand(world: World, count = 1000): Policies {
  const base = Object.entries(seventeen(world));
  const forbids = base.filter(([, json]) => json.effect === "forbid");
  const scoped = Array.from({ length: count - base.length }, (_, index): readonly [string, PolicyJson] => {
    const [id, json] = forbids[index % forbids.length] ?? ["", undefined];
    if (json === undefined) throw new Error("the domain set has no forbid");
    return [`team-${index}.${id}`, { ...json, principal: { op: "==", entity: { type: "Licet::Workload", id: `team_${index}` } } }];
  });
  return Object.fromEntries([...base, ...scoped]);
}

/** One question in both forms. The entities of no two of them are the same. */
export interface Asked {
  readonly request: PreparedRequest;
  readonly store: EntityStore;
  /** Without the schema's actions, which a store with a schema has anyhow. */
  readonly own: readonly EntityJson[];
  readonly json: { readonly principal: { type: string; id: string }; readonly action: { type: string; id: string }; readonly resource: { type: string; id: string }; readonly context: ContextJson; readonly entities: EntityJson[] };
}

export function pool({ schemaJson }: World, requests: readonly PolicyRequest[], count: number): readonly Asked[] {
  const schema = compileSchema(schemaJson);
  return Array.from({ length: count }, (_, index) => {
    const from = requests[index % requests.length];
    if (from === undefined) throw new Error("no scenario asks that");
    return asked(renamed(from, index), schema);
  });
}

/** cedar-wasm gets every value written out, so that it needs no schema to read it: that is the cheaper way for it. */
function asked({ principal, action, resource, context, entities }: PolicyRequest, schema: Schema): Asked {
  const given = { principal: { ...principal }, action: { ...action }, resource: { ...resource } };
  const request = prepareRequest({ ...given, context: cedarRecord(context) }, { schema });
  const store = entityStore(entities.map(entityJson), { schema });
  const json = { ...given, context: written(request.context.fields), entities: [...store].map((entity) => ({ uid: { type: entity.uid.type, id: entity.uid.id }, attrs: written(entity.attrs), parents: entity.parents.map(({ type, id }) => ({ type, id })), ...(entity.tags !== undefined && { tags: written(entity.tags) }) })) };
  return { json, own: json.entities.filter(({ uid }) => !("type" in uid) || !uid.type.endsWith("::Action")), request, store };
}

function written(fields: PreparedRequest["context"]["fields"]): ContextJson {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, writeValue(value)]));
}

function entityJson({ uid, attrs, parents, tags }: PolicyRequest["entities"][number]): EntityJson {
  return { uid: { ...uid }, attrs: cedarRecord(attrs), parents: parents.map((parent) => ({ ...parent })), ...(tags !== undefined && { tags: cedarRecord(tags) }) };
}

/** Principal and resource under names that nobody else has, wherever they are named. */
export function renamed(request: PolicyRequest, index: number): PolicyRequest {
  const names = new Map([request.principal, request.resource].map(({ type, id }) => [`${type} ${id}`, `${id}#${index}`]));
  return replaced(request, names) as PolicyRequest;
}

function replaced(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((each) => replaced(each, names));
  if (typeof value !== "object" || value === null) return value;
  const record = Object.fromEntries(Object.entries(value).map(([name, each]) => [name, replaced(each, names)]));
  const found = names.get(`${String(record["type"])} ${String(record["id"])}`);
  return found === undefined ? record : { ...record, id: found };
}
