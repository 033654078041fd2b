import { z } from "zod";
import { CheckResult, CheckVerdict } from "../assurance.ts";
import { DatasetReuse, RepeatView } from "../assurance/attempts.ts";
import { RunnerView } from "../assurance/runner.ts";
import { CiProvenance } from "../entries/ci.ts";
import { Digest, Id, PageQuery, Producer, Slug, Tier, Time, TrafficStage } from "../vocabulary.ts";
import type { Routes } from "./route.ts";

/** What a result says, without the figures that it follows from and without its notes. */
export const CheckFigures = CheckResult.pick({
  label: true,
  check: true,
  subject: true,
  inputs: true,
  scope: true,
  estimate: true,
  unit: true,
  interval: true,
  counts: true,
  limit: true,
  verdict: true,
  reason: true,
  requiredN: true,
  error: true,
  attempt: true,
  reuse: true,
}).meta({ id: "CheckFigures" });
export type CheckFigures = z.output<typeof CheckFigures>;

export const RepeatOutcome = z
  .strictObject({
    drawn: z.boolean().describe("by lot, by the server's runner; else by a run of another producer"),
    agrees: z.boolean(),
    differences: z.array(z.string()),
    at: Time,
    entry: Id,
  })
  .meta({ id: "RepeatOutcome" });
export type RepeatOutcome = z.output<typeof RepeatOutcome>;

export const RecordedCheck = z
  .strictObject({
    id: Id,
    checkId: z.string(),
    release: Digest,
    releaseNumber: z.int(),
    ticket: Id,
    attempt: z.int().describe("of this check on this subject, over all releases and producers"),
    producer: Producer,
    producedBy: z.string(),
    provenance: CiProvenance.nullable().describe("of producer `ci`: the run that it came from"),
    counts: z.boolean().describe("whether a result of this producer counts at the release's tier, and nobody found otherwise"),
    carriedFrom: Id.nullable().describe("the result whose verdict stands here too"),
    repeats: z.array(RepeatOutcome).describe("what came out when others made it again"),
    at: Time,
    entry: Id,
    cases: z.array(z.strictObject({ of: z.string().describe("empty where there is only one kind"), n: z.int() })).describe("how many cases of the kind that `requiredN` speaks of there are; empty where it is not known"),
    figures: CheckFigures,
  })
  .meta({ id: "RecordedCheck" });
export type RecordedCheck = z.output<typeof RecordedCheck>;

export const DeclaredCheck = z
  .strictObject({
    id: z.string(),
    check: z.string(),
    label: z.string().nullable(),
    advisory: z.boolean(),
    components: z.array(z.string()).describe("the declared models and data sets that it reads"),
    limit: z.strictObject({ op: z.enum(["<=", ">="]), value: z.number() }),
  })
  .meta({ id: "DeclaredCheck" });
export type DeclaredCheck = z.output<typeof DeclaredCheck>;

export const CheckStanding = z
  .strictObject({
    declared: DeclaredCheck,
    standing: z.enum([...CheckVerdict.options, "aborted", "disputed", "awaiting_repeat", "missing"]).describe("what the gate sees: an attempt that never came back stands above an older result, what another run found otherwise is disputed, and a run of which the server owes a repetition waits for it"),
    result: RecordedCheck.nullable().describe("the newest from a producer that counts, else the newest of any"),
    results: z.int().describe("how many results this release has of it"),
    compared: RecordedCheck.nullable().describe("the same check in the release compared with"),
    asked: DeclaredCheck.shape.limit.nullable().describe("the laxest limit with which the gate's policies count such a result in the system's next move; null where they say none"),
  })
  .meta({ id: "CheckStanding" });
export type CheckStanding = z.output<typeof CheckStanding>;

export const CheckAttempt = z
  .strictObject({
    ticket: Id,
    attempt: z.int(),
    producer: Producer,
    status: z.enum(["open", "returned", "aborted"]),
    checks: z.array(z.string()),
    returned: z.array(z.string()),
    reserved: z.array(z.strictObject({ check: z.string(), index: z.int(), alpha: z.number(), repeats: Id.nullable() })),
    repeat: RepeatView.nullable().describe("the check that the server's runner makes again"),
    issuedTo: z.string(),
    issuedAt: Time,
    leaseUntil: Time,
    entry: Id,
  })
  .meta({ id: "CheckAttempt" });
export type CheckAttempt = z.output<typeof CheckAttempt>;

const ReleaseOfChecks = z.strictObject({ digest: Digest, number: z.int(), pushedAt: Time });

export const ChecksView = z
  .strictObject({
    system: Slug,
    title: z.string(),
    tier: Tier,
    release: ReleaseOfChecks,
    releases: z.array(ReleaseOfChecks).describe("newest first"),
    compared: z.strictObject({ release: Digest, number: z.int(), stage: TrafficStage, environment: z.string(), recordedAt: Time }).nullable().describe("the release deployed at the highest stage"),
    checks: z.array(CheckStanding),
    dropped: z.array(RecordedCheck).describe("results of the release compared with, for checks that this release does not declare"),
    attempts: z.array(CheckAttempt).describe("newest first, at most 100"),
    alpha: z.number().describe("what all attempts of a check on one subject may spend together"),
    reuse: z.array(DatasetReuse).describe("how often each declared data set has judged something of this system"),
    runner: RunnerView.describe("the server's own runner: its bounds, and what it is at"),
  })
  .meta({ id: "ChecksView" });
export type ChecksView = z.output<typeof ChecksView>;

const ofSystem = z.object({ space: Slug, system: Slug });
const ofCheck = ofSystem.extend({ check: z.string().max(100) });

export const checkRoutes = {
  showChecks: { method: "GET", path: "/api/spaces/:space/systems/:system/checks", permission: "system.read", summary: "The checks of one release: what stands, what is missing, attempts, and the release in production beside it", params: ofSystem, query: z.object({ release: Digest.optional() }), response: ChecksView },
  listCheckResults: { method: "GET", path: "/api/spaces/:space/systems/:system/checks/:check/results", permission: "system.read", summary: "All results of one check over the releases of a system, newest first", params: ofCheck, query: PageQuery, response: z.strictObject({ declared: DeclaredCheck.nullable().describe("by the newest release; null where it no longer declares it"), title: z.string(), items: z.array(RecordedCheck), next: z.string().nullable() }) },
  showCheckResult: { method: "GET", path: "/api/spaces/:space/systems/:system/checks/:check/results/:result", permission: "system.read", summary: "One result in full, with the figures that its verdict follows from", params: ofCheck.extend({ result: Id }), response: z.strictObject({ recorded: RecordedCheck, result: CheckResult }) },
} as const satisfies Routes;
