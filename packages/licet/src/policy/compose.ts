import { LicetError } from "@licet/contract";
import { digestOf } from "@licet/evidence";
import type { Bundle, BundlePack, BundlePolicy } from "./bundle-form.ts";
import { checkAnnotations, checkKinds, checkSpokenFor, modeOf, ownNamespaces, schemaJsonOf, type ParsedPolicy } from "./compose-rules.ts";
import { placedPacks, wholeSchema, type ComposeSource, type PlacedPack } from "./compose-source.ts";
import { guarded } from "./compose-team.ts";
import { coverage, coveredIds } from "./coverage.ts";
import { deciderOn } from "./decide.ts";
import { cedarEngine } from "./engine.ts";
import { packDetection } from "./detection.ts";
import { goldenDecisions, replayGolden } from "./golden.ts";
import { askedOnce, knownOutcomes, nothingKnown, type KnownOutcomes } from "./known-outcomes.ts";
import { lintPolicies, roundedNumbers } from "./lint.ts";
import { findingText, type PolicyFinding } from "./lint-form.ts";
import { SchemaKinds } from "./lint-types.ts";
import { omissionTest } from "./omission.ts";
import { advisorySet, enforcedSet } from "./requirement.ts";
import { readScenarios, runScenarios, type Scenario, type ScenarioResult } from "./scenario.ts";
import { cedarWasm } from "./wasm.ts";
import { wasmEngine } from "./wasm-engine.ts";

export interface Composed {
  readonly bundle: Bundle;
  /** What does not stand in the way of publishing. */
  readonly warnings: readonly PolicyFinding[];
}

export interface ComposeOptions {
  /** False while policies are being written: scenarios need not come out as they expect, and nothing is left out of them. */
  readonly tested?: boolean;
  /**
   * The bundle of the installation's packs alone, as its build left it. What was parsed, decided by cedar-wasm and
   * proven then is not done anew for the policies that are still the same; what comes out is the same, byte by byte.
   */
  readonly known?: Bundle | undefined;
}

/**
 * Makes a bundle of the installation's packs and those given, in this very thread: foreign packs go through
 * `compileBundle`, whose worker may die of them. Throws coded errors; `at.findings` has every finding.
 */
export function composeBundle(source: ComposeSource, { tested = true, known }: ComposeOptions = {}): Composed {
  const packs = placedPacks(source);
  const namespaces = ownNamespaces(source.schema, packs);
  const schema = wholeSchema(source.schema, packs);
  const schemaJson = schemaJsonOf(schema, "the schema");
  const before = new Map(known?.policies.map((policy) => [policy.text, policy]));
  const detection = packDetection(packs);
  const parsed = packs.flatMap((pack) => parsePack(pack, before));
  checkAnnotations(parsed);
  checkKinds(parsed, namespaces);
  checkSpokenFor(parsed, packs);
  accepted(roundedNumbers(parsed.map(({ id, json, pack }) => ({ id, json, pack: pack.source.name }))));
  const kinds = new SchemaKinds(schemaJson);
  const policies = parsed.map((policy) => built(guarded(policy, schemaJson)));
  const form: BundleForm = { v: 2, schema, schemaJson, packs: [], policies, golden: [], ...(detection.length > 0 && { detection }), digest: "" };
  const warnings = accepted([...strictFindings(form), ...lintPolicies(policies, kinds)]);
  const scenarios = packs.map((pack) => ({ pack, scenarios: pack.source.scenarios.flatMap(({ path, text }) => readScenarios(text, `${pack.source.name}/${path}`)) }));
  return { bundle: proven(form, scenarios, { kinds: tested ? kinds : undefined, known: known === undefined ? nothingKnown : knownOutcomes(known, form) }), warnings };
}

/** A bundle that lacks what its scenarios prove. */
type BundleForm = Bundle;

type Before = ReadonlyMap<string, BundlePolicy>;

function parsePack(pack: PlacedPack, before: Before): readonly ParsedPolicy[] {
  return pack.source.policies.flatMap(({ path, text }) => {
    const at = `\`${pack.source.name}/${path}\``;
    const answer = cedarWasm().policySetTextToParts(text);
    if (answer.type === "failure") throw invalid(at, answer.errors);
    if (answer.policy_templates.length > 0) throw invalid(at, [{ message: "templates are not part of a bundle" }]);
    return inOrder(answer.policies, text).map((each) => parsePolicy(each, pack, before));
  });
}

/** cedar-wasm sorts the parts of a text by position of their ids (`policy10` before `policy2`); a refusal names the first written. */
function inOrder(parts: readonly string[], text: string): readonly string[] {
  return parts.map((part) => ({ part, at: text.indexOf(part) })).sort((a, b) => a.at - b.at).map(({ part }) => part);
}

function parsePolicy(text: string, pack: PlacedPack, before: Before): ParsedPolicy {
  const known = before.get(text);
  if (known !== undefined) return { id: known.id, pack, text, json: known.json, annotations: known.annotations, mode: known.mode };
  const answer = cedarWasm().policyToJson(text);
  if (answer.type === "failure") throw invalid(`\`${pack.source.name}\``, answer.errors);
  const given = Object.entries(answer.json.annotations ?? {}).map(([name, value]) => [name, value ?? ""] as const);
  const { id = "", mode, ...annotations } = Object.fromEntries<string | undefined>(given);
  if (id === "") throw new LicetError("policy_annotation", { message: `a policy of \`${pack.source.name}\` has no @id: \`${text.slice(0, 80)}\`` });
  return { id, pack, text, json: answer.json, annotations: texts(annotations), mode: modeOf(id, mode) };
}

function texts(record: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, value ?? ""]));
}

function built({ id, pack, text, json, annotations, mode }: ParsedPolicy): BundlePolicy {
  return { id, pack: pack.source.name, effect: json.effect, text, json, annotations, mode };
}

function invalid(at: string, errors: readonly { readonly message: string }[]): LicetError {
  return new LicetError("policy_invalid", { message: `${at}: ${errors.slice(0, 5).map(({ message }) => message).join("; ")}` });
}

function strictFindings({ schema, policies }: BundleForm): readonly PolicyFinding[] {
  const staticPolicies = { ...enforcedSet(policies).staticPolicies, ...advisorySet(policies).staticPolicies };
  const answer = cedarWasm().validate({ schema, policies: { staticPolicies }, validationSettings: { mode: "strict" } });
  if (answer.type === "failure") throw invalid("the policies", answer.errors);
  const packs = new Map(policies.map(({ id, pack }) => [id, pack]));
  return [...answer.validationErrors, ...answer.validationWarnings].map(({ policyId, error }) => ({
    severity: "error",
    rule: "invalid",
    policy: policyId,
    pack: packs.get(policyId) ?? "",
    place: "",
    why: error.message.replace(/^for policy `[^`]*`, /u, ""),
    fix: "correct it against the schema",
  }));
}

/** The warnings among them; throws `policy_invalid` where there is an error. */
function accepted(findings: readonly PolicyFinding[]): readonly PolicyFinding[] {
  const errors = findings.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw refusedBy(errors);
  return findings;
}

function refusedBy(findings: readonly PolicyFinding[]): LicetError {
  const more = findings.length > 5 ? `; and ${findings.length - 5} more` : "";
  return new LicetError("policy_invalid", { message: `${findings.slice(0, 5).map(findingText).join("; ")}${more}`, at: { findings } });
}

interface PackScenarios {
  readonly pack: PlacedPack;
  readonly scenarios: readonly Scenario[];
}

interface Proof {
  /** Undefined where nothing is tested. */
  readonly kinds: SchemaKinds | undefined;
  readonly known: KnownOutcomes;
}

/** Asks cedar-wasm what every scenario comes to, and lets `@licet/cedar` come to the same. */
function proven(form: BundleForm, tests: readonly PackScenarios[], { kinds, known }: Proof): Bundle {
  const ours = cedarEngine(form);
  const judge = askedOnce(deciderOn(form, wasmEngine(form)), known);
  const results = tests.flatMap(({ scenarios }) => runScenarios(judge, scenarios));
  const golden = goldenDecisions(results.map(({ scenario, came }) => ({ request: scenario.request, outcome: came })));
  replayGolden({ golden }, deciderOn(form, ours));
  if (kinds !== undefined) {
    checkExpected(results, tests.map(({ pack }) => pack));
    const requests = tests.flatMap(({ pack, scenarios }) => scenarios.map(({ name, request }) => ({ name, pack: pack.source.name, request })));
    accepted(omissionTest(ours, requests.filter(({ request }) => known.of(request) === undefined), kinds));
  }
  const determined = new Set(coveredIds(coverage(form, results)));
  const covered = form.policies.filter(({ id }) => determined.has(id));
  const bundle = { ...form, golden, packs: tests.map((each) => bundlePack(each, covered)) };
  return { ...bundle, digest: digestOf({ ...bundle, digest: undefined }) };
}

/** Licet's own scenarios describe Licet's own packs: a stricter baseline may well change what they come to. */
function checkExpected(results: readonly ScenarioResult[], packs: readonly PlacedPack[]): void {
  const builtin = new Set(packs.filter(({ kind }) => kind === "builtin").map(({ source }) => source.name));
  const alone = builtin.size === packs.length;
  const failed = results.filter(({ scenario, differences }) => differences.length > 0 && (alone || !builtin.has(scenario.file.split("/")[0] ?? "")));
  const [first] = failed;
  if (first === undefined) return;
  const more = failed.length > 1 ? `, and ${failed.length - 1} more` : "";
  throw new LicetError("scenario_failed", { message: `${first.scenario.file}:${first.scenario.line}: \`${first.scenario.name}\`: ${first.differences.join("; ")}${more}` });
}

function bundlePack({ pack, scenarios }: PackScenarios, covered: readonly BundlePolicy[]): BundlePack {
  const { source, kind, digest } = pack;
  const { title, description, topic, systems, authzen } = source.manifest;
  return {
    name: source.name,
    title,
    description,
    kind,
    ...(topic !== undefined && { topic }),
    ...(systems !== undefined && { systems }),
    digest,
    scenarios: scenarios.length,
    covered: covered.filter((policy) => policy.pack === source.name).map(({ id }) => id),
    ...(authzen !== undefined && { authzen }),
  };
}
