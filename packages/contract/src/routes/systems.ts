import { z } from "zod";
import { GateAnswer, GateFacts } from "../gate.ts";
import { DatasetReuse, RepeatView, ReservedAttempt } from "../assurance/attempts.ts";
import { RunnerBudget } from "../assurance/runner.ts";
import { GateMove } from "../entries/oversight.ts";
import { CiProvenance } from "../entries/ci.ts";
import { ReleaseBundle } from "../release.ts";
import { AtoState, Digest, Envelope, Id, PageQuery, Producer, Slug, Stage, Tier, Time, TrafficStage } from "../vocabulary.ts";
import type { Routes } from "./route.ts";

const inSpace = z.object({ space: Slug });
const ofSystem = z.object({ space: Slug, system: Slug });

/** What blocks a system's next move: the first unmet requirement, whose turn, since when. */
export const Blocker = z
  .strictObject({ requirement: z.string(), title: z.string(), remedy: z.string(), turn: z.string(), people: z.array(z.string()), since: Time.nullable(), more: z.int() })
  .meta({ id: "Blocker" });

export const SystemRow = z
  .strictObject({
    name: Slug,
    title: z.string(),
    stage: Stage,
    stageSince: Time,
    tier: Tier,
    prohibited: z.boolean(),
    held: z.boolean(),
    release: Digest,
    releaseNumber: z.int(),
    owners: z.strictObject({ business: z.string(), technical: z.string(), risk: z.string() }),
    next: TrafficStage.nullable(),
    blocker: Blocker.nullable(),
    ato: z.strictObject({ id: Id, state: AtoState, stage: TrafficStage, environment: z.string(), notAfter: Time, release: Digest, releaseNumber: z.int() }).nullable().describe("of the release that it names, which need not be the latest"),
    updatedAt: Time,
  })
  .meta({ id: "SystemRow" });
export type SystemRow = z.output<typeof SystemRow>;

export const AtoView = z
  .strictObject({
    id: Id,
    system: Slug,
    release: Digest,
    stage: TrafficStage,
    environment: z.string(),
    state: AtoState,
    notBefore: Time,
    notAfter: Time,
    grantedAt: Time,
    stateSince: Time,
    stateReason: z.string().nullable(),
    request: Id,
    entry: Id,
    statement: Envelope,
  })
  .meta({ id: "AtoView" });
export type AtoView = z.output<typeof AtoView>;

export const DeploymentView = z
  .strictObject({
    id: Id,
    environment: z.string(),
    stage: TrafficStage,
    release: Digest,
    releaseNumber: z.int(),
    active: z.boolean(),
    recordedBy: z.string(),
    recordedAt: Time,
    attested: z.array(z.string()).describe("what Licet cannot observe and the record only attests"),
    credentials: z.array(z.strictObject({ id: Id, hint: z.string(), issuedAt: Time, expiresAt: Time, revokedAt: Time.nullable() })),
  })
  .meta({ id: "DeploymentView" });
export type DeploymentView = z.output<typeof DeploymentView>;

export const DecisionView = z
  .strictObject({
    id: Id,
    kind: z.string(),
    system: z.string().nullable(),
    deployment: z.string().nullable(),
    release: z.string().nullable(),
    action: z.string(),
    decision: z.enum(["allow", "deny"]),
    code: z.string().nullable(),
    model: z.string().nullable(),
    gateway: z.string(),
    seq: z.int(),
    at: Time,
    logIndex: z.int(),
    reasons: z.array(z.strictObject({ policy: z.string(), remedy: z.string() })),
    outcome: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: "DecisionView" });
export type DecisionView = z.output<typeof DecisionView>;

export const TimelineItem = z
  .strictObject({ entry: Id, index: z.int(), kind: z.string(), title: z.string(), actor: z.string(), at: Time })
  .meta({ id: "TimelineItem" });

export const AssessmentView = z
  .strictObject({
    tier: Tier,
    prohibited: z.array(z.string()),
    legal: z.array(z.strictObject({ id: z.string(), question: z.string(), answer: z.string(), source: z.string(), outcome: z.string(), ref: z.string() })),
    score: z.array(z.strictObject({ id: z.string(), dimension: z.string(), level: z.int(), meaning: z.string(), source: z.string() })),
    arithmetic: z.array(z.string()),
    open: z.array(z.strictObject({ question: z.string(), text: z.string(), turn: z.string() })),
  })
  .meta({ id: "AssessmentView" });

export const ReleaseRow = z
  .strictObject({ digest: Digest, number: z.int(), fileDigest: Digest, pushedBy: z.string(), pushedAt: Time, entry: Id })
  .meta({ id: "ReleaseRow" });

export const CheckRow = z
  .strictObject({
    id: Id,
    release: Digest,
    checkId: z.string(),
    verdict: z.string(),
    producer: Producer,
    producedBy: z.string(),
    at: Time,
    entry: Id,
    provenance: CiProvenance.nullable().describe("of producer `ci`: the run that it came from"),
    result: z.record(z.string(), z.unknown()),
  })
  .meta({ id: "CheckRow" });

export const SystemDetail = z
  .strictObject({
    system: SystemRow,
    purpose: z.string(),
    manifest: z.record(z.string(), z.unknown()),
    components: z.array(z.strictObject({ kind: z.string(), name: z.string(), digest: Digest, detail: z.string() })),
    assessment: AssessmentView,
    gate: GateAnswer.nullable(),
    releases: z.array(ReleaseRow),
    approvals: z.array(z.strictObject({ id: Id, request: Id, role: z.string(), person: z.string(), answer: z.string(), comment: z.string(), method: z.string(), at: Time, spent: z.boolean() })),
    atos: z.array(AtoView),
    deployments: z.array(DeploymentView),
    holds: z.array(z.strictObject({ id: Id, scope: z.string(), reason: z.string(), placedBy: z.string(), placedAt: Time })),
  })
  .meta({ id: "SystemDetail" });
export type SystemDetail = z.output<typeof SystemDetail>;

export const PlanLine = z
  .strictObject({ sign: z.enum(["+", "~", "-"]), path: z.string(), before: z.string().nullable(), after: z.string().nullable(), material: z.boolean() })
  .meta({ id: "PlanLine" });

export const PushPlan = z
  .strictObject({
    system: Slug,
    release: Digest,
    previous: Digest.nullable(),
    outcome: z.enum(["new-system", "new-release", "same-release", "no-change"]),
    tier: Tier,
    lines: z.array(PlanLine),
  })
  .meta({ id: "PushPlan" });
export type PushPlan = z.output<typeof PushPlan>;

export const TicketView = z
  .strictObject({
    id: Id,
    system: Slug,
    release: Digest,
    producer: Producer,
    checks: z.array(z.string()),
    datasets: z.record(z.string(), Digest),
    seed: z.string(),
    attempt: z.int(),
    leaseUntil: Time,
    status: z.enum(["open", "returned", "aborted"]),
    attempts: z.array(ReservedAttempt).describe("one for each of `checks`: run each with its seed, and judge it at its alpha"),
    settled: z.array(CheckRow).describe("checks whose verdict stands already: they are not run again"),
    reuse: z.array(DatasetReuse).describe("the data sets that are read, with this use"),
    alpha: z.number().describe("what all attempts of a check on one subject may spend together"),
    budget: RunnerBudget.nullable().describe("of a run of the server: what its questions to models may come to"),
  })
  .meta({ id: "TicketView" });

export const RequestView = z
  .strictObject({
    id: Id,
    move: GateMove,
    system: z.string().nullable(),
    release: Digest.nullable(),
    stage: TrafficStage.nullable(),
    environment: z.string().nullable(),
    status: z.enum(["open", "granted", "refused", "returned"]),
    title: z.string(),
    requestedBy: z.string(),
    requestedAt: Time,
    closedAt: Time.nullable(),
    detail: z.record(z.string(), z.unknown()),
    gate: GateAnswer.nullable(),
    approvals: z.array(z.strictObject({ id: Id, role: z.string(), person: z.string(), answer: z.string(), comment: z.string(), method: z.string(), at: Time, counts: z.boolean(), why: z.string() })),
    ato: Id.nullable(),
    entry: Id,
  })
  .meta({ id: "RequestView" });
export type RequestView = z.output<typeof RequestView>;

const page = <T extends z.ZodType>(item: T) => z.strictObject({ items: z.array(item), next: z.string().nullable() });

export const systemRoutes = {
  listSystems: { method: "GET", path: "/api/spaces/:space/systems", permission: "system.read", summary: "The board: systems with stage, blocker, turn and age", params: inSpace, query: PageQuery, response: page(SystemRow) },
  showSystem: { method: "GET", path: "/api/spaces/:space/systems/:system", permission: "system.read", summary: "One system in full", params: ofSystem, response: SystemDetail },
  showTimeline: { method: "GET", path: "/api/spaces/:space/systems/:system/timeline", permission: "system.read", summary: "What happened to a system, newest first", params: ofSystem, query: PageQuery, response: page(TimelineItem) },
  planRelease: { method: "POST", path: "/api/spaces/:space/releases/plan", permission: "release.push", summary: "What a push would change; changes nothing", params: inSpace, body: ReleaseBundle, bodyBytesMax: 16_777_216, response: PushPlan },
  pushRelease: { method: "POST", path: "/api/spaces/:space/releases", permission: "release.push", summary: "Registers a release; a repeated push is a no-op", params: inSpace, body: ReleaseBundle, bodyBytesMax: 16_777_216, response: PushPlan },
  giveAnswer: { method: "POST", path: "/api/spaces/:space/systems/:system/answers", permission: "answer.give", summary: "Signs an answer that only the risk owner may give", params: ofSystem, body: z.strictObject({ question: z.string().max(40), value: z.enum(["yes", "no"]), reason: z.string().min(1).max(4000) }), response: AssessmentView },
  issueTicket: { method: "POST", path: "/api/spaces/:space/systems/:system/tickets", permission: "check.run", run: true, summary: "The leave to run a counted check: the attempt's log entry", params: ofSystem, body: z.strictObject({ release: Digest, checks: z.array(z.string().max(80)).min(1).max(200), datasets: z.record(z.string().max(80), Digest) }), created: true, response: TicketView },
  returnResults: { method: "POST", path: "/api/spaces/:space/systems/:system/results", permission: "check.run", run: true, summary: "Returns a ticket with its results; the server signs them with their producer: `self`, or `ci` for a one-run credential", params: ofSystem, body: z.strictObject({ ticket: Id, results: z.array(z.record(z.string(), z.unknown())).min(1).max(200) }), bodyBytesMax: 8_388_608, created: true, response: z.strictObject({ items: z.array(CheckRow), repeat: RepeatView.nullable().describe("the check that the server's runner makes again, drawn after everything was in") }) },
  repeatDrawn: { method: "POST", path: "/api/spaces/:space/systems/:system/tickets/:ticket/repeat", permission: "check.run", run: true, summary: "Has the server's runner make the drawn check of a returned ticket again, where that has not been done", params: ofSystem.extend({ ticket: Id }), body: z.strictObject({}), created: true, response: z.strictObject({ repeat: RepeatView.nullable() }) },
  putDrawnFile: { method: "PUT", path: "/api/spaces/:space/systems/:system/tickets/:ticket/files/:digest", permission: "check.run", run: true, summary: "Hands the server a file that it lacks to make the drawn check of a returned ticket again", params: ofSystem.extend({ ticket: Id, digest: Digest }), raw: { bytesMax: 67_108_864 }, response: z.strictObject({ digest: Digest, size: z.int(), held: z.boolean() }) },
  putFile: { method: "PUT", path: "/api/spaces/:space/files/:digest", permission: "check.server", summary: "Hands the server a file that its own runner needs, by digest", params: z.object({ space: Slug, digest: Digest }), raw: { bytesMax: 67_108_864 }, response: z.strictObject({ digest: Digest, size: z.int(), held: z.boolean() }) },
  runOnServer: { method: "POST", path: "/api/spaces/:space/systems/:system/server-runs", permission: "check.server", summary: "Runs the declared checks in the server's own runner: producer `licet`", params: ofSystem, body: z.strictObject({ release: Digest }), created: true, response: z.strictObject({ ticket: TicketView, items: z.array(CheckRow), left: z.array(z.string()).describe("checks that the server's runner cannot run: they ask models, or look for personal data") }) },
  askGate: { method: "GET", path: "/api/spaces/:space/systems/:system/gate", permission: "system.read", summary: "Every requirement of a move, met or not, with remedy and turn", params: ofSystem, query: z.object({ to: TrafficStage, environment: z.string().max(63).optional(), release: Digest.optional() }), response: z.strictObject({ answer: GateAnswer, facts: GateFacts }) },
  requestPromotion: { method: "POST", path: "/api/spaces/:space/systems/:system/requests", permission: "promotion.request", summary: "Asks for a promotion; granted at once where nobody has to be waited for", params: ofSystem, body: z.strictObject({ to: TrafficStage, environment: z.string().max(63), release: Digest.optional(), days: z.int().min(1).max(730).optional() }), created: true, response: RequestView },
  listAtos: { method: "GET", path: "/api/spaces/:space/systems/:system/atos", permission: "system.read", summary: "The authorizations to operate of a system", params: ofSystem, response: z.strictObject({ items: z.array(AtoView) }) },
  recordDeployment: { method: "POST", path: "/api/spaces/:space/systems/:system/deployments", permission: "deployment.record", summary: "Puts a release into an environment and issues its credential, shown once", params: ofSystem, body: z.strictObject({ release: Digest, environment: z.string().max(63), stage: TrafficStage, credentialDays: z.int().min(1).max(365).default(90) }), created: true, response: z.strictObject({ deployment: DeploymentView, credential: z.strictObject({ id: Id, secret: z.string(), expiresAt: Time }) }) },
  listDecisions: { method: "GET", path: "/api/spaces/:space/systems/:system/decisions", permission: "decision.read", summary: "Recent runtime decisions, newest first", params: ofSystem, query: PageQuery, response: page(DecisionView) },
  showDecision: { method: "GET", path: "/api/spaces/:space/decisions/:decision", permission: "decision.read", summary: "One decision in full", params: z.object({ space: Slug, decision: Id }), response: z.strictObject({ decision: DecisionView, detail: z.record(z.string(), z.unknown()) }) },
  exportAudit: { method: "POST", path: "/api/spaces/:space/exports", permission: "audit.export", summary: "An audit pack: files that a stranger verifies offline", params: inSpace, body: z.strictObject({ system: Slug.optional() }), response: z.strictObject({ files: z.array(z.strictObject({ path: z.string(), content: z.string().describe("base64") })) }) },
} as const satisfies Routes;
