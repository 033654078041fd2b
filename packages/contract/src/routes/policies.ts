import { z } from "zod";
import { BacktestReport, PublicationOccasion, publishCommentCharactersMax } from "../entries/policy.ts";
import { PackSources, packKinds } from "../policy-pack.ts";
import { Digest, Id, PageQuery, Slug, Time, TrafficStage } from "../vocabulary.ts";
import type { Routes } from "./route.ts";
import { RequestView } from "./systems.ts";

const inSpace = z.object({ space: Slug });
const page = <T extends z.ZodType>(item: T) => z.strictObject({ items: z.array(item), next: z.string().nullable() });
const packsBodyBytesMax = 4_194_304;

export const PolicyMode = z.enum(["enforce", "warn", "shadow"]).meta({ id: "PolicyMode" });
export type PolicyMode = z.output<typeof PolicyMode>;

/** One policy of a bundle. */
export const PolicyView = z
  .strictObject({
    id: z.string(),
    pack: z.string(),
    effect: z.enum(["permit", "forbid"]),
    mode: PolicyMode,
    text: z.string().describe("Cedar, as written; model output never gets here"),
    annotations: z.record(z.string(), z.string()),
    covered: z.boolean().describe("a scenario's decision is determined by it"),
  })
  .meta({ id: "PolicyView" });
export type PolicyView = z.output<typeof PolicyView>;

export const PackView = z
  .strictObject({
    name: z.string(),
    title: z.string(),
    description: z.string(),
    kind: z.enum(packKinds),
    origin: z.enum(["installation", "main", "space"]).describe("whose pack it is: of the installation, the organisation's baseline, or the space's own"),
    topic: z.string().nullable(),
    systems: z.array(z.string()).describe("which systems a team pack tightens"),
    digest: z.string(),
    policies: z.int(),
    covered: z.int().describe("policies that a scenario determines"),
    scenarios: z.int(),
    modes: z.strictObject({ enforce: z.int(), warn: z.int(), shadow: z.int() }),
  })
  .meta({ id: "PackView" });
export type PackView = z.output<typeof PackView>;

/** One difference between two bundles. */
export const PolicyChange = z
  .strictObject({
    sign: z.enum(["+", "~", "-"]),
    pack: z.string(),
    policy: z.string().nullable().describe("null: the pack itself, its schema, or what it declares about detection"),
    what: z.enum(["pack", "policy", "text", "mode", "annotations", "schema", "detection"]),
    part: z.string().optional().describe("of detection: the declaration, as `action of email` or `pattern case-number`"),
    before: z.string().nullable(),
    after: z.string().nullable(),
  })
  .meta({ id: "PolicyChange" });
export type PolicyChange = z.output<typeof PolicyChange>;

export const PolicyFinding = z
  .strictObject({ severity: z.enum(["error", "warning"]), code: z.string(), message: z.string(), fix: z.string(), pack: z.string().nullable(), policy: z.string().nullable() })
  .meta({ id: "PolicyFinding" });
export type PolicyFinding = z.output<typeof PolicyFinding>;

export const PolicyStanding = z
  .strictObject({
    digest: Digest,
    publishedBy: z.string(),
    publishedAt: Time,
    entry: Id,
    publication: Id,
    schema: z.string(),
    packs: z.array(PackView),
    problem: z.strictObject({ code: z.string(), message: z.string(), fix: z.string(), since: Time }).nullable().describe("why the space still decides by an older composition; null when all is current"),
    openRequests: z.array(Id).describe("publications that wait for another person"),
  })
  .meta({ id: "PolicyStanding" });
export type PolicyStanding = z.output<typeof PolicyStanding>;

export const PackDetail = z
  .strictObject({ pack: PackView, policies: z.array(PolicyView), scenarios: z.array(z.strictObject({ path: z.string(), text: z.string() })), schema: z.string().nullable() })
  .meta({ id: "PackDetail" });
export type PackDetail = z.output<typeof PackDetail>;

export const PublicationRow = z
  .strictObject({
    id: Id,
    digest: Digest,
    previous: Digest.nullable(),
    active: z.boolean(),
    occasion: PublicationOccasion,
    publishedBy: z.string(),
    publishedAt: Time,
    comment: z.string(),
    request: Id.nullable(),
    outcome: z.string(),
    approvals: z.array(z.strictObject({ id: Id, person: z.string(), role: z.string(), method: z.string(), at: Time })),
    packs: z.array(z.strictObject({ name: z.string(), kind: z.enum(packKinds), digest: z.string() })),
    changed: z.strictObject({ added: z.int(), changed: z.int(), removed: z.int() }),
    entry: Id,
  })
  .meta({ id: "PublicationRow" });
export type PublicationRow = z.output<typeof PublicationRow>;

export const PublicationDetail = z.strictObject({ publication: PublicationRow, changes: z.array(PolicyChange), changesLeft: z.int().describe("changes beyond those listed") }).meta({ id: "PublicationDetail" });
export type PublicationDetail = z.output<typeof PublicationDetail>;

export const BundleView = z
  .strictObject({ digest: Digest, bundle: z.record(z.string(), z.unknown()), packs: PackSources.describe("the space's own packs, as they were sent") })
  .meta({ id: "BundleView" });
export type BundleView = z.output<typeof BundleView>;

/** The packs that a space would have: those given replace or join its own by name, those removed go. */
export const PacksGiven = z.strictObject({ packs: PackSources, remove: z.array(Slug).max(200).default([]) });

export const PolicyCheck = z
  .strictObject({
    ok: z.boolean(),
    digest: Digest.nullable().describe("of the bundle that would be published; null when there is none"),
    findings: z.array(PolicyFinding),
    packs: z.array(PackView),
    changes: z.array(PolicyChange),
    changesLeft: z.int(),
  })
  .meta({ id: "PolicyCheck" });
export type PolicyCheck = z.output<typeof PolicyCheck>;

const uid = z.strictObject({ type: z.string().max(300), id: z.string().max(1000) });
const values = z.record(z.string().max(300), z.json());

/** A question to the policies, in Cedar's JSON forms. */
export const PolicyQuestion = z
  .strictObject({
    principal: uid,
    action: uid,
    resource: uid,
    context: values,
    entities: z.array(z.strictObject({ uid, attrs: values, parents: z.array(uid).max(1000), tags: values.optional() })).max(1000),
  })
  .meta({ id: "PolicyQuestion" });
export type PolicyQuestion = z.output<typeof PolicyQuestion>;

export const PolicyReasonView = z
  .strictObject({
    policy: z.string(),
    requirement: z.string().nullable(),
    title: z.string().nullable(),
    remedy: z.string().nullable(),
    turn: z.string().nullable(),
    severity: z.string().nullable(),
    controls: z.array(z.string()),
  })
  .meta({ id: "PolicyReasonView" });

/** Once all of `wouldAllowIf` holds, the request is allowed. */
export const PolicyResidualView = z
  .strictObject({
    decision: z.enum(["allow", "deny", "depends"]).describe("`depends` where what is unknown could decide either way"),
    wouldAllowIf: z.array(z.strictObject({ policies: z.array(z.string()), effect: z.enum(["permit", "forbid"]), text: z.string().describe("as a Cedar condition"), sentence: z.string() })),
  })
  .meta({ id: "PolicyResidualView" });

export const PolicyExplanation = z
  .strictObject({
    digest: Digest,
    request: PolicyQuestion,
    source: z.enum(["given", "decision", "gate", "call"]).describe("whence the request: as given, a recorded decision's, the gate's facts now, or the call that a system's deployment would make now"),
    decision: z.enum(["allow", "deny"]),
    reasons: z.array(PolicyReasonView),
    warnings: z.array(PolicyReasonView).describe("policies in mode warn that would have forbidden it"),
    shadowed: z.array(PolicyReasonView).describe("policies in mode shadow that would have forbidden it"),
    errors: z.array(z.strictObject({ policy: z.string(), message: z.string() })),
    residual: PolicyResidualView.nullable().describe("what still has to hold; null where the request itself is none"),
  })
  .meta({ id: "PolicyExplanation" });
export type PolicyExplanation = z.output<typeof PolicyExplanation>;

export const ExplainAsked = z
  .strictObject({
    request: PolicyQuestion.optional(),
    decision: Id.optional().describe("a recorded decision"),
    system: Slug.optional().describe("with `to`: the gate's question now; with `call`: the gateway's"),
    to: TrafficStage.optional(),
    call: z
      .strictObject({ model: z.string().min(1).max(300), dataClasses: z.array(z.string().min(1).max(100)).max(20).optional() })
      .optional()
      .describe("a model call of the system's deployment, as things stand now"),
    environment: z.string().max(63).optional(),
    digest: Digest.optional().describe("a bundle that was published once; the active one where absent"),
    packs: PackSources.optional().describe("a candidate: the space's packs with these, published nowhere"),
    remove: z.array(Slug).max(200).optional(),
    unknown: z.array(z.string().max(300)).max(50).optional().describe("parts of the request that are not known yet, as `context.data`: the answer says what they still have to be"),
  })
  .meta({ id: "ExplainAsked" });
export type ExplainAsked = z.output<typeof ExplainAsked>;

export const PolicyMismatch = z
  .strictObject({
    id: Id,
    bundle: Digest,
    active: z.boolean().describe("whether the bundle decides now; it is decided by cedar-wasm until another is published"),
    request: z.string().describe("digest of the sampled request"),
    ours: z.json().describe("what @licet/cedar came to"),
    reference: z.json().describe("what cedar-wasm came to"),
    foundAt: Time,
    entry: Id,
  })
  .meta({ id: "PolicyMismatch" });
export type PolicyMismatch = z.output<typeof PolicyMismatch>;

export const BacktestState = z.enum(["waiting", "running", "done", "cancelled", "failed"]).meta({ id: "BacktestState" });
export type BacktestState = z.output<typeof BacktestState>;

export const BacktestProgress = z
  .strictObject({
    done: z.int().describe("entries of the log that were looked at"),
    total: z.int(),
    decisions: z.int().describe("recorded decisions among them"),
    perSecond: z.int(),
    remainingSeconds: z.int().nullable(),
  })
  .meta({ id: "BacktestProgress" });
export type BacktestProgress = z.output<typeof BacktestProgress>;

export const BacktestRow = z
  .strictObject({
    id: Id,
    state: BacktestState,
    candidate: Digest,
    active: Digest.describe("the bundle that was active when it was asked for"),
    from: Time,
    to: Time,
    system: z.string().nullable(),
    askedBy: z.string(),
    askedAt: Time,
    progress: BacktestProgress,
    error: z.string().nullable(),
    entry: Id.nullable(),
  })
  .meta({ id: "BacktestRow" });
export type BacktestRow = z.output<typeof BacktestRow>;

export const BacktestView = z.strictObject({ backtest: BacktestRow, report: BacktestReport.nullable() }).meta({ id: "BacktestView" });
export type BacktestView = z.output<typeof BacktestView>;

export const BacktestAsked = z
  .strictObject({
    packs: PackSources.optional().describe("a candidate: the space's packs with these"),
    remove: z.array(Slug).max(200).optional(),
    digest: Digest.optional().describe("or a bundle that was published once"),
    from: Time.optional().describe("default: 30 days before `to`"),
    to: Time.optional().describe("default: now"),
    system: Slug.optional(),
  })
  .meta({ id: "BacktestAsked" });
export type BacktestAsked = z.output<typeof BacktestAsked>;

const MoveAnswer = z.strictObject({ done: z.boolean().describe("true where the sole operator's request was carried out at once"), request: RequestView });
const backtest = z.object({ space: Slug, backtest: Id });

export const policyRoutes = {
  showPolicies: { method: "GET", path: "/api/spaces/:space/policies", permission: "policy.read", summary: "The bundle that decides now: its packs, coverage, who published it", params: inSpace, response: PolicyStanding },
  listPolicies: { method: "GET", path: "/api/spaces/:space/policies/rules", permission: "policy.read", summary: "The active policies with their texts, in the order in which refusals are named", params: inSpace, query: PageQuery.extend({ pack: Slug.optional() }), response: page(PolicyView) },
  showPack: { method: "GET", path: "/api/spaces/:space/policies/packs/:pack", permission: "policy.read", summary: "One pack with its policies, scenarios and schema", params: z.object({ space: Slug, pack: Slug }), response: PackDetail },
  listPublications: { method: "GET", path: "/api/spaces/:space/policies/publications", permission: "policy.read", summary: "Who published what when, newest first", params: inSpace, query: PageQuery, response: page(PublicationRow) },
  showPublication: { method: "GET", path: "/api/spaces/:space/policies/publications/:publication", permission: "policy.read", summary: "One publication with its changes against the one before", params: z.object({ space: Slug, publication: Id }), response: PublicationDetail },
  showBundle: { method: "GET", path: "/api/spaces/:space/policies/bundles/:digest", permission: "policy.read", summary: "A published bundle in full, and the packs that it was composed from", params: z.object({ space: Slug, digest: z.union([Digest, z.literal("active")]) }), response: BundleView },
  checkPolicies: { method: "POST", path: "/api/spaces/:space/policies/check", permission: "policy.read", summary: "What publishing these packs would find and change; changes nothing", params: inSpace, body: PacksGiven, bodyBytesMax: packsBodyBytesMax, response: PolicyCheck },
  checkRequestedPolicies: { method: "GET", path: "/api/spaces/:space/policies/requests/:request", permission: "policy.read", summary: "What a waiting publication would change now", params: z.object({ space: Slug, request: Id }), response: PolicyCheck },
  publishPolicies: { method: "POST", path: "/api/spaces/:space/policies/publications", permission: "policy.propose", summary: "Asks to publish packs: a gate move", params: inSpace, body: PacksGiven.extend({ comment: z.string().min(1).max(publishCommentCharactersMax), base: Digest.optional().describe("refused when another bundle is active by now") }), bodyBytesMax: packsBodyBytesMax, created: true, response: MoveAnswer },
  listMismatches: { method: "GET", path: "/api/spaces/:space/policies/mismatches", permission: "policy.read", summary: "Sampled decisions that cedar-wasm came to differently, newest first", params: inSpace, query: PageQuery, response: page(PolicyMismatch) },
  explainPolicy: { method: "POST", path: "/api/spaces/:space/policies/explain", permission: "policy.read", summary: "Decides a request and explains it; records nothing and changes nothing", params: inSpace, body: ExplainAsked, bodyBytesMax: packsBodyBytesMax, response: PolicyExplanation },
  startBacktest: { method: "POST", path: "/api/spaces/:space/policies/backtests", permission: "policy.propose", summary: "Replays recorded decisions against a candidate", params: inSpace, body: BacktestAsked, bodyBytesMax: packsBodyBytesMax, created: true, response: BacktestView },
  listBacktests: { method: "GET", path: "/api/spaces/:space/policies/backtests", permission: "policy.read", summary: "Backtests, newest first", params: inSpace, query: PageQuery, response: page(BacktestRow) },
  showBacktest: { method: "GET", path: "/api/spaces/:space/policies/backtests/:backtest", permission: "policy.read", summary: "One backtest with its progress, and its report when it is done", params: backtest, response: BacktestView },
  cancelBacktest: { method: "POST", path: "/api/spaces/:space/policies/backtests/:backtest/cancel", permission: "policy.propose", summary: "Stops a backtest", params: backtest, body: z.strictObject({}), response: BacktestView },
} as const satisfies Routes;
