import { CedarError } from "./errors.ts";
import type { PolicySetJson } from "./json.ts";
import { noSlotValues, readPolicy, type Policy, type SlotValues } from "./policy.ts";
import { PolicyIndex } from "./policy-index.ts";
import { below, onlyKeys, own, readArray, readObject, readText, refuse, rootPlace, type JsonObject, type Place } from "./read.ts";
import { readUid } from "./value-json.ts";
import type { EntityUid } from "./values.ts";

/** Policies compiled for `authorize`. Made by `compilePolicySet`. */
export class PolicySet {
  /** Static policies in the order of the JSON form, then linked ones in the order of their links. */
  readonly policies: readonly Policy[];
  readonly index: PolicyIndex;

  constructor(policies: readonly Policy[]) {
    this.policies = policies;
    this.index = new PolicyIndex(policies);
  }
}

export interface CompileOptions {
  /**
   * Compiles a policy's conditions when a request first comes to them: a set of which few policies are asked is ready sooner.
   * For policies that were compiled before: a condition that is none makes `authorize` throw the `CedarError` that this function else does.
   */
  readonly lazily?: boolean;
}

/**
 * Compiles policies, templates and their links.
 * Throws `CedarError` (`policy_invalid`) for what cedar-wasm would refuse to parse or to link, with the path in the JSON form.
 *
 * ```ts
 * const policies = compilePolicySet({
 *   staticPolicies: {
 *     readers: { effect: "permit", principal: { op: "All" }, action: { op: "All" }, resource: { op: "All" }, conditions: [] },
 *   },
 * });
 * ```
 */
export function compilePolicySet(json: PolicySetJson, { lazily = false }: CompileOptions = {}): PolicySet {
  const place = rootPlace("policy_invalid");
  const object = readObject(json, place);
  onlyKeys(object, ["staticPolicies", "templates", "templateLinks"], place);
  const policies = new Map<string, Policy>();
  for (const [id, policy, at] of entriesOf(object, "staticPolicies", place)) policies.set(id, readStatic(id, policy, lazily, at));
  const templates = new Map<string, unknown>();
  for (const [id, template, at] of entriesOf(object, "templates", place)) {
    if (policies.has(id)) refuse(at, "a policy has the id of this template");
    if (readPolicy(id, template, { values: noSlotValues, lazily: false }, at).slots.size === 0) refuse(at, "a template has a slot, make this a static policy");
    templates.set(id, template);
  }
  const links = below(place, "templateLinks");
  const given = own(object, "templateLinks");
  readArray(given === undefined ? [] : given, links).forEach((link, index) => {
    const at = below(links, `[${index}]`);
    const policy = readLink(readObject(link, at), templates, at);
    if (policies.has(policy.id) || templates.has(policy.id)) refuse(at, `the id \`${policy.id}\` is taken`);
    policies.set(policy.id, policy);
  });
  return new PolicySet([...policies.values()]);
}

function entriesOf(json: JsonObject, name: string, place: Place): readonly (readonly [string, unknown, Place])[] {
  const held = own(json, name);
  if (held === undefined) return [];
  const inner = below(place, name);
  return Object.entries(readObject(held, inner)).map(([id, item]) => [id, item, below(inner, readText(id, inner))]);
}

function readStatic(id: string, json: unknown, lazily: boolean, place: Place): Policy {
  const { policy, slots } = readPolicy(id, json, { values: noSlotValues, lazily }, place);
  if (slots.size > 0) refuse(place, "a policy with a slot is a template");
  return policy;
}

function readLink(json: JsonObject, templates: ReadonlyMap<string, unknown>, place: Place): Policy {
  onlyKeys(json, ["templateId", "newId", "values"], place);
  const templateId = readText(own(json, "templateId"), below(place, "templateId"));
  const id = readText(own(json, "newId"), below(place, "newId"));
  const template = templates.get(templateId);
  if (template === undefined) return refuse(place, `there is no template \`${templateId}\``);
  const values = readSlotValues(own(json, "values"), below(place, "values"));
  const { policy, slots } = readPolicy(id, template, { values, lazily: false }, place);
  refuseMismatch("principal", { needed: slots.has("?principal"), given: values.principal !== undefined }, place);
  refuseMismatch("resource", { needed: slots.has("?resource"), given: values.resource !== undefined }, place);
  return policy;
}

function refuseMismatch(name: string, { needed, given }: { readonly needed: boolean; readonly given: boolean }, place: Place): void {
  if (needed && !given) refuse(place, `the slot \`?${name}\` has no value`);
  if (given && !needed) refuse(place, `the template has no slot \`?${name}\``);
}

function readSlotValues(json: unknown, place: Place): SlotValues {
  const object = readObject(json, place);
  onlyKeys(object, ["?principal", "?resource"], place);
  return { principal: slotValue(object, "?principal", place), resource: slotValue(object, "?resource", place) };
}

function slotValue(object: JsonObject, name: string, place: Place): EntityUid | undefined {
  const json = own(object, name);
  if (json === undefined) return undefined;
  try {
    return readUid(json);
  } catch (error) {
    if (!(error instanceof CedarError)) throw error;
    return refuse(below(place, name), error.message);
  }
}
