import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gateKindOf, type GateFacts, type PackSource } from "@licet/contract";
import { canonicalize } from "@licet/evidence";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { highPilot, minimalPilot } from "../../../packages/licet/src/ato/gate-fixture.ts";
import { decideGate, promotionRequest } from "../../../packages/licet/src/ato/gate.ts";
import { resultRequest } from "../../../packages/licet/src/ato/result-request.ts";
import { cedarCall, exportCall } from "../../../packages/licet/src/gateway/decide.ts";
import type { CredentialView, ModelView, PolicyBundleView, ProviderView } from "../../../packages/licet/src/gateway/snapshot.ts";
import { StandingViews } from "../../../packages/licet/src/gateway/standing-views.ts";
import { applicationPolicies } from "../../../packages/licet/src/pdp/application.ts";
import { Applications } from "../../../packages/licet/src/pdp/applications.ts";
import { ApplicationData } from "../../../packages/licet/src/pdp/data.ts";
import { packOf } from "../../../packages/licet/src/policy/bundle-fixture.ts";
import { builtinBundle, builtinSource } from "../../../packages/licet/src/policy/builtin.ts";
import { bundleJson, readBundle, type Bundle } from "../../../packages/licet/src/policy/bundle.ts";
import { composeBundle } from "../../../packages/licet/src/policy/compose.ts";
import { createDecider, type CedarEntity, type PolicyDecision, type PolicyRequest } from "../../../packages/licet/src/policy/decide.ts";
import { canonicalOutcome } from "../../../packages/licet/src/policy/scenario-outcome.ts";
import { credential, deployment, messages, sha256, start, startGoverned, withoutAto, type Governed, type Standing } from "../support/governed.ts";

const main = fileURLToPath(new URL("../../../packages/licet/src/cli/main.ts", import.meta.url));
const space = "main";
const token = "lpd_0123456789abcdefghijklmnop";
const client = { id: "pep_shop", space, name: "the shop", digest: sha256(token), expiresAt: start + 60_000 };

const packs: readonly PackSource[] = [
  packOf(
    { name: "house", kind: "baseline" },
    `@id("house.small") @mode("warn") forbid (principal, action == Licet::Action::"callModel", resource) unless { resource has name && resource.name != "large" };
     @id("house.purpose") @mode("shadow") forbid (principal, action == Licet::Action::"exportData", resource) unless { context has purpose };
     @id("house.rehearsed") @requirement("the launch is rehearsed") @remedy("rehearse it") @turn("technical-owner")
     forbid (principal, action == Licet::Action::"promote", resource) when { context.to == Licet::Stage::"production" } unless { context.evidence.contains("launch.rehearsed") };`,
  ),
  packOf(
    { name: "desk", kind: "team", systems: ["helpdesk"] },
    `@id("desk.model") @requirement("data_outside_boundary") @remedy("call the small model") @turn("technical-owner")
     forbid (principal, action == Licet::Action::"callModel", resource) unless { resource has name && resource.name != "barred" };
     @id("desk.export") forbid (principal, action == Licet::Action::"exportData", resource) unless { !context.dataClasses.contains("personal") };`,
  ),
  packOf(
    {
      name: "shop",
      kind: "application",
      authzen: { namespace: "Shop", types: { customer: { entity: "Customer", unknown: "deny", properties: {} }, order: { entity: "Order", unknown: "deny", properties: {} } }, actions: { "can-see": "see" }, actionProperties: {}, context: {}, now: undefined, approved: undefined },
    },
    `@id("shop.own") permit (principal, action in [Shop::Action::"see", Shop::Action::"cancel"], resource) when { resource.owner == principal };
     @id("shop.closed") @remedy("ask for a refund instead") @turn("its owner") forbid (principal, action == Shop::Action::"cancel", resource) unless { resource has open && resource.open };
     @id("shop.tier") @mode("shadow") forbid (principal, action == Shop::Action::"cancel", resource) unless { principal has tier && principal.tier == "gold" };`,
    { schema: `namespace Shop { entity Customer { tier?: String }; entity Order { owner: Customer, open?: Bool }; action see, cancel appliesTo { principal: Customer, resource: Order }; }` },
  ),
];

/** Whatever is asked here of the packs that come with Licet; their scenarios have tests of their own. */
function published(): Bundle {
  const source = builtinSource();
  const builtin = source.builtin.filter(({ name }) => /^(?:gate-|runtime-(?:standing|data|model-calls|exports)$)/u.test(name)).map((pack) => ({ ...pack, scenarios: [] }));
  return composeBundle({ ...source, builtin, packs }, { tested: false }).bundle;
}

const shopEntity = (type: string, id: string, attrs: CedarEntity["attrs"]): CedarEntity => ({ uid: { type: `Shop::${type}`, id }, attrs, parents: [] });
const ann = shopEntity("Customer", "ann", { tier: "silver" });
const gus = shopEntity("Customer", "gus", { tier: "gold" });
const order = (id: string, owner: CedarEntity, open: boolean) => shopEntity("Order", id, { owner: { __entity: { ...owner.uid } }, open });
const open = order("o1", gus, true);
const closed = order("o2", ann, false);

const sharingPaths = [{ to: "crm", classes: ["internal"], region: "eu" }, { to: "letters", classes: ["internal", "personal"], region: "eu" }];
const models: readonly ModelView[] = ["small", "large", "barred"].map((name) => ({ name, provider: "simulator", model: `sim-${name}`, bounds: {} }));
const view = deployment({ models, boundary: { classes: ["public", "internal", "personal"], regions: ["eu"], sharingPaths } });
const provider: ProviderView = { id: "simulator", baseUrl: "http://127.0.0.1", region: "eu", vendor: "test", keyRef: "main/simulator" };
const standingAs = (of: Standing): CredentialView => ({ id: "cred_1", space, digest: sha256(credential), expiresAt: start + 60_000, revokedAt: null, deployment: of.deployment ?? view });
const held: Standing = { holds: [{ id: "h", scope: "all", reason: "exercise" }] };

interface Question {
  readonly name: string;
  readonly request: PolicyRequest;
}
interface Call extends Question {
  readonly standing: Standing;
  readonly evaluation: object;
  /** A call that the gateway itself decides when it is made. */
  readonly model?: string;
}

function modelCall(name: string, model: string, standing: Standing = {}): Call {
  const declared = models.find((each) => each.name === model);
  const known = declared === undefined ? {} : { declared, provider: { ...provider, ...standing.provider } };
  const request = cedarCall({ action: "callModel", credential: standingAs(standing), model: { name: model, ...known }, held: standing.holds !== undefined, suspended: false, dataClasses: [], now: start });
  return { name, request, standing, model, evaluation: { subject: { type: "workload", id: view.id }, action: { name: "callModel" }, resource: { type: "model", id: model } } };
}

interface Exported {
  readonly to: string;
  readonly dataClasses: readonly string[];
  readonly purpose?: string;
}

function exported(name: string, { to, dataClasses, purpose }: Exported, standing: Standing = {}): Call {
  const path = sharingPaths.find((each) => each.to === to);
  const request = exportCall({ credential: standingAs(standing), to, path, held: standing.holds !== undefined, dataClasses, purpose, now: start });
  return { name, request, standing, evaluation: { subject: { type: "workload", id: view.id }, action: { name: "exportData", properties: { dataClasses, ...(purpose !== undefined && { purpose }) } }, resource: { type: "destination", id: to } } };
}

/** The order's owner is in the question too: a policy could look at them. */
function shopping(name: string, [customer, action, of]: readonly [CedarEntity, string, CedarEntity]): Question & { readonly evaluation: object } {
  const owner = of === closed ? ann : gus;
  const request = { principal: customer.uid, action: { type: "Shop::Action", id: action === "can-see" ? "see" : action }, resource: of.uid, context: {}, entities: [...new Set([customer, of, owner])] };
  return { name, request, evaluation: { subject: { type: "customer", id: customer.uid.id }, action: { name: action }, resource: { type: "order", id: of.uid.id } } };
}

const calls = [
  modelCall("a declared model", "small"),
  modelCall("a model that a policy on trial warns of", "large"),
  modelCall("a model that the team's pack bars", "barred"),
  modelCall("an undeclared model", "other"),
  modelCall("a held system", "large", held),
  modelCall("no authorization", "small", { deployment: withoutAto(view) }),
  modelCall("a region outside", "small", { provider: { region: "us" } }),
  exported("an export with its purpose", { to: "crm", dataClasses: ["internal"], purpose: "hand-over" }),
  exported("an export without one", { to: "crm", dataClasses: ["internal"] }),
  exported("an export that the team's pack forbids", { to: "letters", dataClasses: ["personal", "internal"] }),
  exported("an undeclared destination", { to: "broker", dataClasses: ["internal"] }),
  exported("a held export", { to: "crm", dataClasses: ["internal"] }, held),
];
const applicationRequests = [
  shopping("an owner looks", [ann, "can-see", closed]),
  shopping("a stranger looks", [gus, "can-see", closed]),
  shopping("what is closed is not cancelled", [ann, "cancel", closed]),
  shopping("what is open is", [gus, "cancel", open]),
];
const moves: readonly (readonly [string, GateFacts])[] = [
  ["a minimal-tier pilot", minimalPilot],
  ["a high-tier pilot", highPilot],
  ["one without approvals", { ...highPilot, approvals: [] }],
  ["one under a hold", { ...highPilot, holds: ["hold_1"] }],
  ["production, which a baseline pack forbids too", { ...highPilot, from: "pilot", to: "production" }],
];
const promotions = moves.map(([name, facts]) => ({ name, facts, request: promotionRequest(facts, builtinBundle()) }));
const counted: readonly Question[] = highPilot.checks.map((row) => ({ name: `whether the result of \`${row.id}\` counts`, request: resultRequest(highPilot, row, { kind: gateKindOf(row.check) }) }));
const misfits: readonly Question[] = [
  { name: "a context that does not fit", request: { ...modelCall("", "small").request, context: { now: "yesterday" } } },
  { name: "an action that nobody knows", request: { ...modelCall("", "small").request, action: { type: "Licet::Action", id: "fly" } } },
];
const questions: readonly Question[] = [...calls, ...applicationRequests, ...promotions, ...counted, ...misfits];

function isWhole(decision: object): decision is PolicyDecision {
  return "warnings" in decision && "shadowed" in decision && "advisoryErrors" in decision;
}

/** The request as it stands in a record: its entities are a set. */
function requestLine({ entities, ...request }: PolicyRequest): string {
  return canonicalize({ ...request, entities: entities.map((each) => canonicalize(each)).sort() });
}

interface Recorded {
  readonly decision: string;
  readonly cedar: PolicyRequest;
  readonly reasons: readonly { readonly policy: string; readonly code?: string }[];
  readonly policyErrors: readonly string[];
  readonly warnings?: readonly string[];
  readonly shadowed?: readonly string[];
}

/** What an entry of the log says, in the form that the command line prints; what carries a code is the gateway's own refusal. */
function recordedLine({ decision, reasons, policyErrors, warnings = [], shadowed = [] }: Recorded): string {
  return canonicalize({ decision, reasons: reasons.filter(({ code }) => code === undefined).map(({ policy }) => policy), warnings, shadowed, errors: policyErrors });
}

let folder: string;
let bundle: Bundle;
let json: string;
let library: PolicyBundleView;
let governed: Governed;
let printed: ReadonlyMap<PolicyRequest, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "licet-same-answer-"));
  bundle = published();
  json = bundleJson(bundle);
  library = await gatewayView();
  governed = await startGoverned();
  printed = await commandLine();
});

afterAll(async () => {
  await governed?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** As the gateway reads it from the record. */
async function gatewayView(): Promise<PolicyBundleView> {
  const row = { space, digest: bundle.digest, bundle: json, published_by: "person_1", published_at: start, active: 1, entry: "entry_1" };
  const built = await new StandingViews([]).build({ version: 1, credentials: [], deployments: [], atos: [], holds: [], providers: [], policies: [row], releases: [], privacy: [], waivers: [], budgetLimits: [], modelPrices: [] });
  const found = built.spaces.find((each) => each.space === space)?.policyBundle;
  if (found === undefined) throw new Error("the gateway has no bundle");
  return found;
}

async function commandLine(): Promise<ReadonlyMap<PolicyRequest, string>> {
  writeFileSync(join(folder, "requests.jsonl"), questions.map(({ request }) => `${JSON.stringify(request)}\n`).join(""));
  writeFileSync(join(folder, "bundle.json"), canonicalize({ ...JSON.parse(json), digest: bundle.digest }));
  const args = ["--conditions=source", main, "policy", "test", "--requests", "requests.jsonl", "--bundle", "bundle.json"];
  const out = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, args, { cwd: folder, env: { ...process.env, NO_COLOR: "1" } }, (error, text) => (error === null ? resolve(text) : reject(error)));
  });
  const lines = out.trimEnd().split("\n");
  if (lines.length !== questions.length) throw new Error(`${lines.length} lines for ${questions.length} requests`);
  return new Map(questions.map(({ request }, at) => [request, lines[at] ?? ""]));
}

function newest(kind: string): Recorded {
  return governed.bodies(kind).at(-1) as unknown as Recorded;
}

async function asked(evaluation: object, headers: Record<string, string> = {}): Promise<{ readonly decision: boolean }> {
  const response = await governed.post("/access/v1/evaluation", JSON.stringify(evaluation), headers);
  return (await response.json()) as { decision: boolean };
}

/** Request and answer, each in one line: as the log holds them, and as they are in the file and were printed. */
function inLog(entry: Recorded): readonly string[] {
  return [requestLine(entry.cedar), recordedLine(entry)];
}
function inFile(request: PolicyRequest): readonly string[] {
  return [requestLine(request), printed.get(request) ?? ""];
}

describe("the same request file gives the same bytes", () => {
  test("and holds every kind of answer, so that a constant one would not pass", () => {
    const lines = [...printed.values()].map((line) => JSON.parse(line) as Record<string, unknown[]>);
    expect(new Set(lines.map(({ decision }) => decision))).toEqual(new Set(["allow", "deny"]));
    const named = lines.flatMap((line) => ["reasons", "warnings", "shadowed", "errors"].flatMap((field) => (line[field] ?? []).map((policy) => `${field} ${String(policy)}`)));
    expect(named).toEqual(expect.arrayContaining(["reasons desk.model", "reasons desk.export", "reasons shop.closed", "reasons house.rehearsed", "warnings house.small", "shadowed house.purpose", "shadowed shop.tier", "errors request"]));
    expect(new Set(printed.values()).size).toBeGreaterThan(15);
  });

  test.each(questions)("through the gateway's library call: $name", async ({ request }) => {
    const decision = await library.decide(request as Parameters<typeof library.decide>[0]);
    if (!isWhole(decision)) throw new Error("the gateway's decision lacks what policies on trial said");
    expect(canonicalOutcome(decision)).toBe(printed.get(request));
  });

  test.each(promotions)("through the gate: $name", ({ facts, request }) => {
    const seen: { readonly request: PolicyRequest; readonly decision: PolicyDecision }[] = [];
    const answer = decideGate(facts, readBundle(json, bundle.digest), (decided) => seen.push(decided));
    const [results, [last, ...others]] = [seen.slice(0, -1), seen.slice(-1)];
    const passed = facts.checks.filter(({ verdict }) => verdict === "pass").map((row) => requestLine(resultRequest(facts, row, { kind: gateKindOf(row.check) })));
    expect(results.map(({ request: each }) => requestLine(each)).sort()).toEqual(passed.sort());
    for (const decided of results) expect(decided.decision.decision).toBe("allow");
    expect(others).toEqual([]);
    for (const decided of last === undefined ? [] : [last]) {
      expect(requestLine(decided.request)).toBe(requestLine(request));
      expect(canonicalOutcome(decided.decision)).toBe(printed.get(request));
      const unmet = answer.requirements.filter(({ state }) => state !== "met").map(({ id }) => id);
      expect([answer.decision, unmet]).toEqual([decided.decision.decision, decided.decision.decision === "deny" ? decided.decision.reasons.map(({ policy }) => policy) : []]);
    }
  });

  test.each(calls)("through AuthZEN, as the log holds it: $name", async ({ request, standing, evaluation }) => {
    governed.stand({ deployment: view, ...standing, decide: (call) => library.decide(call) });
    const { decision } = await asked(evaluation);
    const entry = newest("access.decision");
    expect(decision).toBe(entry.decision === "allow");
    expect(inLog(entry)).toEqual(inFile(request));
  });

  test.each(applicationRequests)("through AuthZEN, of an application's own: $name", async ({ request, evaluation }) => {
    const decider = createDecider(readBundle(json, bundle.digest));
    const applications = new Applications({ space, digest: bundle.digest, decider, policies: applicationPolicies(decider.bundle), data: new ApplicationData([ann, gus, open, closed]) });
    governed.stand({ clients: [client], applications: new Map([[space, applications]]) });
    const { decision } = await asked(evaluation, { authorization: `Bearer ${token}` });
    const entry = newest("access.decision");
    expect(decision).toBe(entry.decision === "allow");
    expect(inLog(entry)).toEqual(inFile(request));
  });

  test.each(calls.filter(({ model }) => model !== undefined))("through a call of the gateway, as the log holds it: $name", async ({ request, standing, model }) => {
    governed.stand({ deployment: view, ...standing, decide: (call) => library.decide(call) });
    await (await governed.post("/openai/v1/chat/completions", JSON.stringify({ model, messages }))).text();
    expect(inLog(newest("gateway.decision"))).toEqual(inFile(request));
  });
});
