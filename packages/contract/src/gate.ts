import { z } from "zod";
import { Digest, Id, Slug, Stage, Tier, Time, TrafficStage } from "./vocabulary.ts";

/** One thing that a gate demands and what the record says of it. `met` is shown too, so that the whole list can be read. */
export const Requirement = z
  .strictObject({
    id: z.string().describe("the policy's id, stable across releases"),
    title: z.string(),
    state: z.enum(["met", "unmet", "stale", "waived"]),
    reason: z.string().describe("what the record shows, or why it cannot be known here"),
    remedy: z.string().describe("what to do next, as a command or an action on the page"),
    turn: z.string().describe("the role or owner whose turn it is"),
    people: z.array(z.string()).describe("e-mail addresses of those who can act, where known"),
    since: Time.nullable().describe("waiting since; null offline"),
    controls: z.array(z.string()),
  })
  .meta({ id: "Requirement" });
export type Requirement = z.output<typeof Requirement>;

/** The gate's answer for one move. The same facts and policies give the same bytes everywhere. */
export const GateAnswer = z
  .strictObject({
    v: z.literal(1),
    system: Slug,
    release: Digest,
    tier: Tier,
    from: Stage,
    to: TrafficStage,
    environment: z.string(),
    decision: z.enum(["allow", "deny"]),
    requirements: z.array(Requirement),
    factsDigest: Digest,
    policyDigest: Digest,
  })
  .meta({ id: "GateAnswer" });
export type GateAnswer = z.output<typeof GateAnswer>;

/** The limit that a result was judged by and what it stood on. Facts of before this was kept have none, and nothing that asks for a limit is met by them. */
export const JudgedBy = z
  .strictObject({
    op: z.enum(["<=", ">="]),
    limit: z.number().describe("in the check's own unit"),
    alpha: z.number(),
    attempted: z.int().nonnegative().describe("cases"),
    assessed: z.int().nonnegative().describe("cases that were judged"),
    origin: z.string().describe("`native`, or the tool whose report was counted"),
    figure: z.string().exactOptional().describe("what was measured, where the check knows several: `auc`, `log_loss` …"),
    distance: z.number().exactOptional().describe("how far inputs were moved, in standard deviations"),
    norm: z.string().exactOptional().describe("in which norm the distance is meant"),
    queries: z.int().exactOptional().describe("that an attack may spend on a row"),
  })
  .meta({ id: "JudgedBy" });
export type JudgedBy = z.output<typeof JudgedBy>;

/** What the server's runner has to make again before a run of a CI counts at high and critical tier. */
export const AwaitedRepeat = z
  .strictObject({
    check: z.string().nullable().describe("the drawn one; null while the run is not back, and nothing is drawn"),
    ticket: z.string(),
    since: Time,
    until: Time.describe("then the run is disputed"),
  })
  .meta({ id: "AwaitedRepeat" });
export type AwaitedRepeat = z.output<typeof AwaitedRepeat>;

/** Everything that the gate's policies may look at, gathered once. Times are in the record's clock. */
export const GateFacts = z
  .strictObject({
    v: z.literal(1),
    offline: z.boolean().describe("true where the record could not be asked: its requirements are unmet, `unknown offline`"),
    now: Time,
    system: Slug,
    release: Digest,
    releasePushedAt: Time.nullable(),
    number: z.int().nullable(),
    from: Stage,
    to: TrafficStage,
    environment: z.string(),
    declaredEnvironment: z.boolean(),
    tier: Tier,
    prohibited: z.boolean(),
    tierReasons: z.array(z.string()),
    openQuestions: z.array(z.string()),
    owners: z.strictObject({ business: z.string().nullable(), technical: z.string().nullable(), risk: z.string().nullable() }),
    declared: z.array(z.string()).describe("names of the declared parts: purpose, users, affectedPeople, deploymentContext, rollback, rollbackTarget, overseer, dataBoundary …"),
    unregisteredProviders: z.array(z.string()),
    declaredChecks: z.array(z.string()).describe("check ids that the manifest's assurance section declares and the gate demands"),
    advisoryChecks: z.array(z.string()).describe("declared check ids that are reported and not demanded (`advisory: true`)"),
    checks: z.array(
      z.strictObject({
        id: z.string(),
        check: z.string(),
        verdict: z.enum(["pass", "fail", "insufficient_evidence", "errored", "not_applicable", "aborted", "disputed", "awaiting_repeat"]),
        producer: z.enum(["self", "ci", "licet"]),
        producedBy: z.string(),
        at: Time,
        result: z.string().describe("entry id"),
        judged: JudgedBy.exactOptional(),
        repeat: AwaitedRepeat.exactOptional().describe("of `awaiting_repeat`: what the server owes before results of this run count"),
      }),
    ),
    approvals: z.array(
      z.strictObject({
        id: Id,
        role: z.string(),
        person: z.string(),
        answer: z.enum(["approve", "return", "refuse"]),
        counts: z.boolean(),
        why: z.string().describe("why it does not count, or empty"),
        at: Time,
        notAfter: Time,
      }),
    ),
    authors: z.array(z.string()).describe("people who may not approve: pusher, producers of counted results, technical owner"),
    requestedAt: Time.nullable(),
    holds: z.array(Id),
    evidence: z.array(z.string()).describe("further evidence kinds present for this release, e.g. `rollback.rehearsed`"),
    turns: z.record(z.string(), z.array(z.string())).describe("role or owner to e-mail addresses"),
  })
  .meta({ id: "GateFacts" });
export type GateFacts = z.output<typeof GateFacts>;
