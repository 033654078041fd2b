import type { PolicyJson, SchemaJson } from "@licet/cedar";
import { LicetError } from "@licet/contract";
import type { PolicyMode } from "./bundle-form.ts";
import { wholeSchema, type PlacedPack } from "./compose-source.ts";
import { obligationTypes, readObligations } from "./obligation-form.ts";
import { plainUid } from "./requirement.ts";
import { unspokenFor } from "./spoken-for.ts";
import { cedarWasm } from "./wasm.ts";

/** A policy as parsed, before its pack's rules are built in. */
export interface ParsedPolicy {
  readonly id: string;
  readonly pack: PlacedPack;
  readonly text: string;
  readonly json: PolicyJson;
  readonly annotations: Readonly<Record<string, string>>;
  readonly mode: PolicyMode;
}

export const licetNamespace = "Licet";

/** Throws `policy_annotation` for an id that is not the policy's own, and for what people would miss, `policy_obligation` for what callers could not. */
export function checkAnnotations(policies: readonly ParsedPolicy[]): void {
  const seen = new Set<string>();
  for (const { id, pack, annotations, mode, json } of policies) {
    if (seen.has(id) || id.includes("#")) throw annotation(`the @id \`${id}\` stands twice or holds \`#\``);
    seen.add(id);
    if (pack.kind !== "builtin" && !id.startsWith(`${pack.source.name}.`)) throw annotation(`the @id \`${id}\` must begin with the name of its pack: \`${pack.source.name}.\``);
    const lacking = annotations["requirement"] === undefined ? [] : ["remedy", "turn"].filter((name) => (annotations[name] ?? "") === "");
    if (lacking.length > 0) throw annotation(`policy \`${id}\` lacks @${lacking.join(" and @")}`);
    const { obligation } = annotations;
    if (obligation !== undefined && readObligations(obligation) === undefined) throw obligationUnreadable(id);
    if (mode !== "enforce" && json.effect === "permit") throw annotation(`policy \`${id}\` is a permit: only a forbid can be tried out with @mode`);
  }
}

export function modeOf(id: string, annotation: string | undefined): PolicyMode {
  if (annotation === undefined || annotation === "enforce") return "enforce";
  if (annotation === "warn" || annotation === "shadow") return annotation;
  throw new LicetError("policy_annotation", { message: `policy \`${id}\` has the @mode \`${annotation}\`; the modes are \`shadow\`, \`warn\` and \`enforce\`` });
}

function annotation(message: string): LicetError {
  return new LicetError("policy_annotation", { message });
}

function obligationUnreadable(id: string): LicetError {
  return new LicetError("policy_obligation", { message: `the @obligation of \`${id}\` is in no known form; its types are ${obligationTypes.map((type) => `\`${type}\``).join(", ")}`, at: { policy: id } });
}

/** An application whose namespace somebody else's policies speak of would be left out of the decision API without a word. Throws `policy_namespace`. */
export function checkSpokenFor(policies: readonly ParsedPolicy[], packs: readonly PlacedPack[]): void {
  const owned = policies.map(({ id, pack, json }) => ({ id, pack: pack.source.name, json }));
  for (const { kind, source } of packs) {
    const namespace = source.manifest.authzen?.namespace;
    if (kind !== "application" || namespace === undefined) continue;
    const unspoken = unspokenFor(source.name, namespace, owned);
    if (unspoken === undefined) continue;
    const why = "foreign" in unspoken ? `\`${unspoken.foreign}\` of another pack names its actions` : "none of its policies names an action of it";
    throw new LicetError("policy_namespace", { message: `\`${source.name}\` cannot answer for the namespace \`${namespace}\`: ${why}`, at: { pack: source.name, ...("foreign" in unspoken && { policy: unspoken.foreign }) } });
  }
}

/**
 * What a kind of pack may hold, whatever its policies say: only Licet's own packs and the baseline permit Licet's
 * actions, a team only forbids them, and an application speaks of its own actions alone. Throws `policy_pack_rule`.
 */
export function checkKinds(policies: readonly ParsedPolicy[], namespaces: ReadonlyMap<string, ReadonlySet<string>>): void {
  for (const policy of policies) {
    const { kind, source } = policy.pack;
    const { effect, action } = policy.json;
    const own = kind === "application" ? (namespaces.get(source.name) ?? new Set()) : new Set([licetNamespace]);
    if (kind === "team" && effect === "permit") throw rule(`\`${policy.id}\` permits: a team pack only forbids, so that it can only tighten`);
    const bound = kind === "team" || kind === "application" || effect === "permit";
    if (bound && !namesActionsOf(action, own)) throw rule(`\`${policy.id}\` must name actions of ${[...own].map((name) => `\`${name}\``).join(" or ")} in its head, as in \`action == ${[...own][0] ?? "…"}::Action::"…"\``);
  }
}

function namesActionsOf(action: PolicyJson["action"], namespaces: ReadonlySet<string>): boolean {
  if (action.op === "All") return false;
  const named = "entities" in action ? action.entities : [action.entity];
  return named.length > 0 && named.every((uid) => {
    const { type } = plainUid(uid);
    return type.endsWith("::Action") && namespaces.has(type.slice(0, -"::Action".length));
  });
}

/** The namespaces that each application pack declares, none of them Licet's; other kinds have no schema. */
export function ownNamespaces(schema: string, packs: readonly PlacedPack[]): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, ReadonlySet<string>>();
  for (const pack of packs) {
    const { source, kind } = pack;
    if (kind !== "application" && source.schema !== undefined) throw rule(`\`${source.name}\` has a schema: only an application pack declares types of its own`);
    if (kind === "application") found.set(source.name, namespacesOf(schema, pack));
  }
  return found;
}

function namespacesOf(schema: string, pack: PlacedPack): ReadonlySet<string> {
  const { name, manifest, schema: own } = pack.source;
  if (own === undefined) throw rule(`\`${name}\` is an application pack without a \`*.cedarschema\``);
  const json = schemaJsonOf(wholeSchema(schema, [pack]), `the schema of \`${name}\``);
  const names = Object.keys(json).filter((each) => each !== licetNamespace);
  const taken = names.find((each) => each === "" || each.startsWith(`${licetNamespace}::`) || each.startsWith("__cedar"));
  if (names.length === 0 || taken !== undefined) throw rule(`the schema of \`${name}\` must stand in a \`namespace\` of its own that is not \`${licetNamespace}\``);
  const named = manifest.authzen?.namespace;
  if (named !== undefined && !names.includes(named)) throw new LicetError("policy_namespace", { at: { pack: name }, message: `\`${name}\` names the namespace \`${named}\` under \`authzen\` and declares ${names.map((each) => `\`${each}\``).join(", ")}` });
  for (const each of names) checkGroups(name, each, { json, names });
  return new Set(names);
}

/** An action inside a group of Licet's would be permitted by the policies that speak of the group. */
function checkGroups(pack: string, namespace: string, { json, names }: { readonly json: SchemaJson; readonly names: readonly string[] }): void {
  for (const [id, { memberOf }] of Object.entries(json[namespace]?.actions ?? {})) {
    const foreign = (memberOf ?? []).find(({ type }) => type !== undefined && type.includes("::") && !names.includes(type.slice(0, type.lastIndexOf("::"))));
    if (foreign !== undefined) throw rule(`\`${pack}\` puts its action \`${id}\` into a group of \`${foreign.type}\``);
  }
}

const schemasMax = 16;

/** Owned by `schemaJsonOf`: the last few that were read, as one is asked for several times over. */
const schemas = new Map<string, SchemaJson>();

/** Types are resolved, so that a reader need not know which name means what. */
export function schemaJsonOf(schema: string, what: string): SchemaJson {
  const before = schemas.get(schema);
  if (before !== undefined) return before;
  const answer = cedarWasm().schemaToJsonWithResolvedTypes(schema);
  if (answer.type === "failure") throw new LicetError("policy_invalid", { message: `${what}: ${answer.errors.slice(0, 5).map(({ message }) => message).join("; ")}` });
  const [oldest] = schemas.size < schemasMax ? [] : schemas.keys();
  if (oldest !== undefined) schemas.delete(oldest);
  schemas.set(schema, answer.json);
  return answer.json;
}

export function rule(message: string): LicetError {
  return new LicetError("policy_pack_rule", { message });
}
