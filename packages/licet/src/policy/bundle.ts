import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { LicetError } from "@licet/contract";
import { digestOf } from "@licet/evidence";
import { policySetTextToParts, policyToJson, validate, type PolicyJson, type PolicySet } from "@cedar-policy/cedar-wasm/nodejs";
import { capPolicyText, policiesMax } from "./caps.ts";
import { readPrecompiled, sourcesDigest, type Precompiled } from "./precompiled.ts";

/** One Cedar policy of a bundle, with what people read when it forbids. */
export interface BundlePolicy {
  readonly id: string;
  readonly effect: "permit" | "forbid";
  readonly text: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Schema and policies as published: the digest stands in every decision and every approval. */
export interface Bundle {
  readonly v: 1;
  readonly schema: string;
  readonly policies: readonly BundlePolicy[];
  /** Digest of the canonical JSON of all the rest. */
  readonly digest: string;
}

export interface PolicySource {
  readonly schema: string;
  /** Cedar text, in the order in which refusals are named. */
  readonly texts: readonly string[];
}

/** Reads the policies that belong to this installation. */
export function builtinBundle(folder: string = policiesFolder()): Bundle {
  const source = builtinSource(folder);
  const ready = readPrecompiled(source);
  if (ready === undefined) return compileBundle(source);
  for (const [text, json] of ready.parsed) parsedTexts.set(text, json);
  compiled.set(ready.bundle.digest, ready.bundle);
  return ready.bundle;
}

/** For the build: what `readPrecompiled` finds beside the program. */
export function precompiledBuiltin(folder: string = policiesFolder()): Precompiled {
  const source = builtinSource(folder);
  const bundle = compileBundle(source);
  return { sources: sourcesDigest(source), bundle, parsed: bundle.policies.map(({ text }) => [text, policyJson(text)] as const) };
}

function builtinSource(folder: string): PolicySource {
  const gate = readdirSync(join(folder, "gate"))
    .filter((name) => name.endsWith(".cedar"))
    .sort()
    .map((name) => join(folder, "gate", name));
  const texts = [join(folder, "runtime.cedar"), ...gate].map((path) => readFileSync(path, "utf8"));
  return { schema: readFileSync(join(folder, "licet.cedarschema"), "utf8"), texts };
}

/** The source runs from packages/licet/src, the product from packages/licet/dist: both look upwards. */
function policiesFolder(): string {
  for (let at = import.meta.dirname; ; at = dirname(at)) {
    const folder = join(at, "policies");
    if (existsSync(join(folder, "licet.cedarschema"))) return folder;
    if (dirname(at) === at) throw new LicetError("policy_files_missing");
  }
}

/** Parses and validates strictly; throws `policy_invalid`, `policy_too_deep` or `policy_annotation`. */
export function compileBundle(source: PolicySource): Bundle {
  for (const text of [source.schema, ...source.texts]) capPolicyText(text);
  const policies = source.texts.flatMap(parts).map(described);
  checkIds(policies);
  const content = { v: 1 as const, schema: source.schema, policies };
  checkStrictly(content);
  const bundle = { ...content, digest: digestOf(content) };
  compiled.set(bundle.digest, bundle);
  return bundle;
}

/** Owned by `compileBundle`: what passed once in this process is not validated again. */
const compiled = new Map<string, Bundle>();

/** A bundle as it stands in the record; throws `policy_bundle_changed` unless its content still has `digest`. */
export function readBundle(json: string, digest: string): Bundle {
  const value: unknown = JSON.parse(json);
  if (!isBundleJson(value)) throw new LicetError("policy_bundle_changed");
  const before = compiled.get(digestOf(value));
  if (before?.digest === digest) return before;
  const bundle = compileBundle({ schema: value.schema, texts: value.policies.map((policy) => policy.text) });
  if (bundle.digest !== digest) throw new LicetError("policy_bundle_changed");
  return bundle;
}

interface BundleJson {
  readonly schema: string;
  readonly policies: readonly { readonly text: string }[];
}

function isBundleJson(value: unknown): value is BundleJson {
  return (
    typeof value === "object" &&
    value !== null &&
    "schema" in value &&
    typeof value.schema === "string" &&
    "policies" in value &&
    Array.isArray(value.policies) &&
    value.policies.every((policy: unknown) => typeof policy === "object" && policy !== null && "text" in policy && typeof policy.text === "string")
  );
}

function parts(text: string): readonly string[] {
  const answer = policySetTextToParts(text);
  if (answer.type === "failure") throw invalid(answer.errors.map((error) => error.message));
  if (answer.policy_templates.length > 0) throw invalid(["templates are not part of a bundle"]);
  return answer.policies;
}

function described(text: string): BundlePolicy {
  const { effect, annotations } = policyJson(text);
  const given = Object.fromEntries(Object.entries(annotations ?? {}));
  const { id, ...rest } = given;
  if (id === undefined || id === "") throw new LicetError("policy_annotation", { message: `a policy has no @id: \`${text.slice(0, 80)}\`` });
  const lacking = rest["requirement"] === undefined ? [] : ["remedy", "turn"].filter((name) => (rest[name] ?? "") === "");
  if (lacking.length > 0) throw new LicetError("policy_annotation", { message: `policy \`${id}\` lacks @${lacking.join(" and @")}` });
  return { id, effect, text, annotations: rest };
}

/** Owned by `policyJson`: parsing is the slow part of a start, and each text is asked for several times. */
const parsedTexts = new Map<string, PolicyJson>();

function policyJson(text: string): PolicyJson {
  const before = parsedTexts.get(text);
  if (before !== undefined) return before;
  const answer = policyToJson(text);
  if (answer.type === "failure") throw invalid(answer.errors.map((error) => error.message));
  if (parsedTexts.size >= 4 * policiesMax) parsedTexts.clear();
  parsedTexts.set(text, answer.json);
  return answer.json;
}

function checkIds(policies: readonly BundlePolicy[]): void {
  const seen = new Set<string>();
  for (const { id } of policies) {
    if (seen.has(id) || id.includes("#")) throw new LicetError("policy_annotation", { message: `the @id \`${id}\` stands twice or holds \`#\`` });
    seen.add(id);
  }
}

function checkStrictly(content: Pick<Bundle, "schema" | "policies">): void {
  const answer = validate({ schema: content.schema, policies: policySet(content.policies), validationSettings: { mode: "strict" } });
  if (answer.type === "failure") throw invalid(answer.errors.map((error) => error.message));
  const found = [...answer.validationErrors, ...answer.validationWarnings];
  if (found.length > 0) throw invalid(found.map((each) => each.error.message));
}

const appliesMark = "#applies";

/** The id of the permit that answers whether the requirement applies. */
export function appliesId(id: string): string {
  return `${id}${appliesMark}`;
}

export function requirementOf(policyId: string): string {
  return policyId.endsWith(appliesMark) ? policyId.slice(0, -appliesMark.length) : policyId;
}

export function isGateRequirement(policy: BundlePolicy): boolean {
  if (policy.effect !== "forbid" || policy.annotations["requirement"] === undefined) return false;
  const { action } = policyJson(policy.text);
  return action.op === "==" && "entity" in action && uidOf(action.entity)?.id === "promote";
}

function uidOf(entity: object): { readonly id: string } | undefined {
  return "id" in entity && typeof entity.id === "string" ? { id: entity.id } : undefined;
}

/**
 * The bundle's policies, and for each requirement of the gate one permit under the action `demand` with the
 * requirement's own scope and `when`: the list of what applies is derived, never written a second time.
 */
export function policySet(policies: readonly BundlePolicy[]): PolicySet {
  const given = policies.map(({ id, text }) => [id, text] as const);
  const derived = policies.filter(isGateRequirement).map(({ id, text }) => [appliesId(id), demand(policyJson(text))] as const);
  return { staticPolicies: Object.fromEntries<string | PolicyJson>([...given, ...derived]) };
}

function demand(requirement: PolicyJson): PolicyJson {
  return {
    effect: "permit",
    principal: requirement.principal,
    action: { op: "==", entity: { type: "Licet::Action", id: "demand" } },
    resource: requirement.resource,
    conditions: requirement.conditions.filter((clause) => clause.kind === "when"),
    annotations: {},
  };
}

function invalid(messages: readonly string[]): LicetError {
  return new LicetError("policy_invalid", { message: messages.slice(0, 5).join("; ") });
}
