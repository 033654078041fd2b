import { z } from "zod";
import { FindingCount } from "../entries/gateway.ts";
import { Id, Slug, Time } from "../vocabulary.ts";
import type { Routes } from "./route.ts";
import { DecisionView, RequestView } from "./systems.ts";

const inSpace = z.object({ space: Slug });
const ofDecision = inSpace.extend({ decision: Id });
const count = z.int().min(0);

/** A decision as the live view shows it: with what was found and, once the call is over, what it took. */
export const TrafficRow = z
  .strictObject({
    ...DecisionView.omit({ outcome: true }).shape,
    findings: z.array(FindingCount).describe("in the request and in the answer together"),
    observed: z.array(z.string()).describe("under a waiver: the codes that would have refused the call or its answer"),
    ended: z
      .strictObject({
        finish: z.string().describe("complete, aborted, refused or failed"),
        code: z.string().nullable(),
        status: z.int(),
        totalMs: count.nullable(),
        firstByteMs: count.nullable(),
        decisionMs: count.nullable(),
        tokens: count.nullable().describe("prompt and completion; null where the provider did not say"),
        costMicros: count.nullable().describe("in millionths of the currency; null where no price is declared"),
        currency: z.string().nullable(),
        tools: z.array(z.string()).describe("that the answer called and may not call, as `function:NAME`: it was broken off, or a waiver let them pass"),
      })
      .nullable()
      .describe("null while the call runs, for a refused one, and for one that was cut off with its gateway's process"),
  })
  .meta({ id: "TrafficRow" });
export type TrafficRow = z.output<typeof TrafficRow>;

/** The gateway lets no call last longer: one without an end after that was cut off with its gateway's process. */
export const callSecondsMax = 660;

/** Most calls whose end one request may ask for beside the new ones. */
export const pendingMax = 50;
/** Longest wait for something new, in seconds: shorter than what listeners and proxies allow a request. */
export const waitSecondsMax = 25;

const TrafficQuery = z.object({
  system: Slug.optional(),
  decision: z.enum(["allow", "deny"]).optional(),
  code: z.string().regex(/^[a-z][a-z0-9_]{0,99}$/u).optional().describe("of refusals, and of ends that were no answer; looked for among the newest 200,000 entries of the log"),
  after: z.coerce.number().int().min(-1).optional().describe("only decisions after this place in the log, oldest first"),
  before: z.coerce.number().int().min(0).optional().describe("only decisions before this place in the log, newest first"),
  wait: z.coerce.number().int().min(0).max(waitSecondsMax).default(0).describe("with `after`: seconds to wait for something new"),
  pending: z.string().max(4000).optional().describe(`up to ${pendingMax} ids of calls that still ran, separated by commas: those that are over come as \`ended\``),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export const TrafficPage = z
  .strictObject({
    items: z.array(TrafficRow),
    ended: z.array(TrafficRow).describe("of `pending`, those that are over"),
    newest: z.int().describe("the place to go on from with `after`"),
    older: z.int().nullable().describe("the place to go on from with `before`; null on the last page"),
  })
  .meta({ id: "TrafficPage" });

const Latency = z.strictObject({ p50: z.number(), p95: z.number(), p99: z.number() }).nullable();

/** What one system's calls came to in a period. */
export const SystemTraffic = z
  .strictObject({
    system: z.string().nullable().describe("null for callers that no credential names"),
    calls: count,
    refused: count,
    running: count,
    codes: z.array(z.strictObject({ code: z.string(), what: z.string(), calls: count, last: Id })).describe("reasons of refusals and of ends that were no answer, most frequent first"),
    findings: z.array(FindingCount),
    tokens: z.strictObject({ prompt: count, completion: count }),
    cost: z.array(z.strictObject({ currency: z.string(), micros: count })),
    decisionMs: Latency,
    firstByteMs: Latency,
    totalMs: Latency,
    lastAt: Time,
  })
  .meta({ id: "SystemTraffic" });
export type SystemTraffic = z.output<typeof SystemTraffic>;

export const TrafficSummary = z
  .strictObject({
    from: Time,
    to: Time,
    complete: z.boolean().describe("false where there were more calls than are counted here; then `from` is the oldest that is"),
    systems: z.array(SystemTraffic),
  })
  .meta({ id: "TrafficSummary" });

const Check = z.strictObject({
  policy: z.string(),
  title: z.string().nullable(),
  requirement: z.string().nullable(),
  component: z.string().nullable(),
  remedy: z.string().nullable(),
  turn: z.string().nullable(),
});

/** What asking for access would open. */
const AccessMove = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("promote"), title: z.string(), to: z.string(), environment: z.string() }),
  z.strictObject({ kind: z.literal("lift-hold"), title: z.string(), hold: Id }),
]);

/** Why a call was refused and what opens the way: what a person reads, and what a program can act on. */
export const DecisionExplanation = z
  .strictObject({
    decision: Id,
    at: Time,
    system: z.string().nullable(),
    environment: z.string().nullable(),
    verdict: z.enum(["allow", "deny"]),
    code: z.string().nullable().describe("of the refusal, or of an end that was no answer"),
    what: z.string(),
    why: z.string(),
    fix: z.string(),
    checks: z.array(Check).describe("what refused: a policy of the bundle that decided, or `gateway.CODE` for what the gateway itself demands"),
    turn: z.string().describe("roles or owners whose turn it is, separated by commas; empty when nobody's"),
    people: z.array(z.string()).describe("e-mail addresses of those whose turn it is"),
    steps: z.array(z.string()).describe("what to do, in order; commands in backticks"),
    request: AccessMove.nullable().describe("the approval that asking for access opens; null where none can help"),
    mayRequest: z.boolean().describe("whether the one who asks may open it"),
    open: Id.nullable().describe("the request that is open for it already"),
    stillSo: z.boolean().nullable().describe("whether what refused stands as it did; null where only another call would show"),
    url: z.string(),
  })
  .meta({ id: "DecisionExplanation" });
export type DecisionExplanation = z.output<typeof DecisionExplanation>;

export const trafficRoutes = {
  listTraffic: {
    method: "GET",
    path: "/api/spaces/:space/traffic",
    permission: "decision.read",
    summary: "Decisions on calls of all systems: newest first, or live after a place in the log",
    params: inSpace,
    query: TrafficQuery,
    response: TrafficPage,
  },
  showTraffic: {
    method: "GET",
    path: "/api/spaces/:space/traffic/summary",
    permission: "decision.read",
    summary: "Calls, refusals, findings, spend and latency of the last minutes, by system",
    params: inSpace,
    query: z.object({ minutes: z.coerce.number().int().min(1).max(1440).default(60) }),
    response: TrafficSummary,
  },
  explainDecision: {
    method: "GET",
    path: "/api/spaces/:space/decisions/:decision/why",
    permission: "decision.read",
    summary: "Why a call was refused, what to do and whose turn it is",
    params: ofDecision,
    response: DecisionExplanation,
  },
  requestAccess: {
    method: "POST",
    path: "/api/spaces/:space/decisions/:decision/request",
    permission: "decision.read",
    summary: "Opens the approval that lifts a refusal: a promotion, or lifting a hold",
    params: ofDecision,
    body: z.strictObject({ reason: z.string().min(1).max(2000) }),
    created: true,
    response: z.strictObject({ done: z.boolean(), request: RequestView }),
  },
} as const satisfies Routes;
