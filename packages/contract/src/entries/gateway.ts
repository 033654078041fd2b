import { z } from "zod";
import { Digest, Time } from "../vocabulary.ts";
import { GatewayContentBody } from "./privacy.ts";

const text = z.string().max(400);
const count = z.int().nonnegative();

/** What detectors found: types and counts, never values. */
export const FindingCount = z.strictObject({ type: text, dataClass: text, count });
export type FindingCount = z.output<typeof FindingCount>;

/** Which standing the gateway decided by: the applied log index of its snapshot and until when that could be trusted. */
export const SnapshotStamp = z.strictObject({ version: z.int(), builtAt: Time, leaseUntil: Time });

export const DecisionReason = z.strictObject({
  policy: text,
  code: text.optional(),
  requirement: text.optional(),
  remedy: z.string().max(1000).optional(),
  component: text.optional(),
});
export type DecisionReason = z.output<typeof DecisionReason>;

const decided = {
  id: z.string(),
  decision: z.enum(["allow", "deny"]),
  /** Why not, from the registry of errors; null when allowed. */
  code: text.nullable(),
  reasons: z.array(DecisionReason),
  policyErrors: z.array(text),
  /** Ids of policies in mode warn and shadow that would have forbidden it; absent where there are none. */
  warnings: z.array(text).optional(),
  shadowed: z.array(text).optional(),
  policyBundle: text.nullable(),
  snapshot: SnapshotStamp.nullable(),
  /** The canonical Cedar request, so that anybody with the bundle can decide again; null when refused before. */
  cedar: z.unknown().nullable(),
  deployment: text.nullable(),
  credential: text.nullable(),
  release: text.nullable(),
  model: text.nullable(),
  findings: z.array(FindingCount),
};

/** `gateway.decision` v1: durable before the first byte goes to the provider. */
export const GatewayDecisionBody = z.strictObject({
  ...decided,
  action: z.enum(["callModel", "listModels", "unknown"]),
  endpoint: text,
  provider: text.nullable(),
  region: text.nullable(),
  upstreamModel: text.nullable(),
  stream: z.boolean(),
  requestBytes: count,
  /** Digest of every message in order: all of them, folded, and the newest one by one. */
  messages: z.strictObject({ count, digest: Digest, newest: z.array(Digest) }).nullable(),
  /** Whose words were scanned: nothing reaches the provider unscanned. */
  scanned: z.enum(["full", "none"]),
  /** The `gateway.content` that holds the messages themselves; absent where none was recorded. */
  content: z.string().optional(),
});
export type GatewayDecisionBody = z.output<typeof GatewayDecisionBody>;

/** `gateway.outcome` v1: one for each allowed decision, unless the process died. */
export const GatewayOutcomeBody = z.strictObject({
  decision: z.string(),
  deployment: text,
  release: text,
  status: z.int().describe("the HTTP status that the caller got"),
  code: text.nullable(),
  finish: z.enum(["complete", "aborted", "refused", "failed"]),
  finishReasons: z.array(text),
  abortedBy: z.enum(["client", "upstream", "hold", "limit", "boundary", "snapshot"]).nullable(),
  usage: z
    .strictObject({ prompt: count, completion: count, total: count })
    .nullable()
    .describe("null when the provider did not say, as in a stream that was cut"),
  findings: z.array(FindingCount),
  scanned: z.enum(["full", "window", "none"]),
  answerBytes: count,
  timings: z.strictObject({ decisionMs: count, firstByteMs: count.nullable(), totalMs: count }),
  upstreamStatus: z.int().nullable(),
});
export type GatewayOutcomeBody = z.output<typeof GatewayOutcomeBody>;

const named = z.strictObject({ type: z.string().max(300), id: z.string().max(2048) });

/** `access.decision` v2: an AuthZEN evaluation, durable before its reply. Version 1 had only the workload's own. */
export const AccessDecisionBody = z.strictObject({
  ...decided,
  action: text,
  digest: text.nullable().describe("of the model that the caller is about to run, as it says"),
  client: z.string().max(80).nullable().describe("the decision client that asked; null where a deployment asked for itself"),
  asked: z.strictObject({ subject: named, resource: named }).nullable().describe("in the caller's words; null where they could not be read"),
  obligations: z.array(z.strictObject({ id: text, type: text })).describe("what the caller was told to carry out"),
  exported: z
    .strictObject({ to: text, dataClasses: z.array(text), purpose: text.nullable(), records: count.nullable() })
    .nullable()
    .describe("of a data export: where to, what and how much, as the caller says"),
});
export type AccessDecisionBody = z.output<typeof AccessDecisionBody>;

/** The runtime entry kinds of the gateway with the version that is written today. */
export const gatewayEntries = {
  "gateway.decision": { v: 1, body: GatewayDecisionBody },
  "gateway.outcome": { v: 1, body: GatewayOutcomeBody },
  "access.decision": { v: 2, body: AccessDecisionBody },
  "gateway.content": { v: 1, body: GatewayContentBody },
} as const;
