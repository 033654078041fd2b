import { z } from "zod";
import { Digest, Time } from "../vocabulary.ts";
import { BudgetReserved, SettledCost } from "./budgets.ts";
import { Shipped } from "./gateways.ts";
import { GatewayContentBody } from "./privacy.ts";

const text = z.string().max(400);
const count = z.int().nonnegative();

/** What detectors found: types and counts, never values. */
export const FindingCount = z.strictObject({ type: text, dataClass: text, count, action: text.optional() });
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
  /** The observe waiver under which it was allowed, and what would have refused it without; absent where nothing was lifted. */
  waiver: text.optional(),
  observed: z.array(z.strictObject({ code: text, policy: text, message: text, remedy: z.string().max(1000), component: text.optional() })).optional(),
  /** The trace that the call belongs to (W3C Trace Context), the caller's or a new one; absent where there was none. */
  trace: z.string().regex(/^[0-9a-f]{32}$/u).optional(),
  /** Where it stands in the log of the gateway that decided; absent where that is this log. */
  shipped: Shipped.optional(),
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

/** What was taken out of a text, by type and number, never the values. */
export const RedactionCount = z.strictObject({ type: text, count });
export type RedactionCount = z.output<typeof RedactionCount>;

const tensors = z.array(z.strictObject({ name: text, datatype: text, shape: z.array(count).max(16) })).max(256);

/** What the gateway keeps of an id that a provider gave out for a file or a batch. */
export const BoundIdDetail = z.strictObject({
  purpose: text.describe("`assistants`, `user_data` or `batch` as the caller said; `batch-output` for what a batch came to"),
  digest: Digest.nullable().describe("of the content as it left; null where it is the provider's own"),
  bytes: count,
  classes: z.array(text).max(20).describe("classes of the data in it"),
  endpoint: text.nullable().describe("of a batch and its files: what its lines call, as `/v1/chat/completions`"),
  models: z.array(text).max(200).describe("declared names of the models that its lines call"),
  from: text.nullable().describe("of a batch its input file, of what it came to the batch"),
});
export type BoundIdDetail = z.output<typeof BoundIdDetail>;

/** One id, bound in the outcome of the call that stored it. Space and system are the entry's. */
export const BoundIdBody = z.strictObject({ object: z.enum(["file", "batch"]), id: text, provider: text, deployment: text, release: text, ...BoundIdDetail.shape });
export type BoundIdBody = z.output<typeof BoundIdBody>;

/** Of a decision about a file or a batch: which, and what is in it. */
export const StoredContent = z.strictObject({
  object: z.enum(["file", "batch"]),
  id: text.nullable().describe("null where it is not there yet, or where many are listed"),
  purpose: text.nullable(),
  digest: Digest.nullable().describe("of the content as it leaves"),
  lines: count.nullable().describe("calls in it, each judged by itself"),
});
export type StoredContent = z.output<typeof StoredContent>;

/** `gateway.decision` v2: durable before the first byte goes to the provider. What version 1 had not is absent, as where there is none. */
export const GatewayDecisionBody = z.strictObject({
  ...decided,
  action: z.enum(["callModel", "score", "listModels", "useFile", "useBatch", "unknown"]),
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
  dialect: text.optional().describe("the surface that was called, as `openai.chat`; absent where the endpoint is none"),
  needs: z.array(text).max(1000).optional().describe("powers that the call asked for, each permitted by name where it was allowed"),
  redactions: z.array(RedactionCount).optional().describe("what was taken out before the call left; the answer gives it back"),
  scoring: z.strictObject({ version: text.nullable(), digest: text.nullable().describe("of the weights, as the release declares them"), inputs: tensors }).optional().describe("of a call that scores: never the data"),
  stored: StoredContent.optional(),
  /** What was reserved before the call left; absent where it was refused before that. */
  budget: BudgetReserved.optional(),
  fallbackOf: z.string().optional().describe("the decision whose provider failed, where this is for a model that the release declares in its place"),
});
export type GatewayDecisionBody = z.output<typeof GatewayDecisionBody>;

/** One sending to the provider. */
const Attempt = z.strictObject({ upstreamStatus: z.int().nullable(), code: text.nullable(), ms: count });

const JudgedTool = z.strictObject({
  tool: text.describe("`function:NAME`, or the permission that it stands behind, with its name where the permission holds several"),
  calls: count,
  decision: z.enum(["allow", "deny"]),
  code: text.optional(),
  policy: text.optional().describe("what refused it, or would have where a waiver let it go on"),
});

/** `gateway.outcome` v2: one for each allowed decision, unless the process died. What version 1 had not is absent, as where there is none. */
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
    .strictObject({ prompt: count, completion: count, total: count, cached: count.optional(), written: count.optional(), reasoning: count.optional() })
    .nullable()
    .describe("null when the provider did not say, as in a stream that was cut"),
  findings: z.array(FindingCount),
  scanned: z.enum(["full", "window", "none"]),
  answerBytes: count,
  timings: z.strictObject({
    decisionMs: count,
    connectionMs: count.optional().describe("of the last sending: until a connection took it, waiting and connecting together; absent where none did"),
    firstByteMs: count.nullable(),
    totalMs: count,
  }),
  upstreamStatus: z.int().nullable(),
  /** Why the answer would not have reached the caller, where a waiver let it. */
  waiver: text.optional(),
  observed: z.array(z.strictObject({ code: text, policy: text, message: text, remedy: z.string().max(1000), component: text.optional() })).optional(),
  scoring: z
    .strictObject({ outputs: tensors, version: text.nullable(), attested: z.enum(["provider", "release", "none"]).describe("who says that the weights are the declared ones: the provider's metadata, or the release alone; none where it declares none") })
    .optional(),
  reported: z
    .strictObject({ rows: count.nullable(), output: Digest.nullable() })
    .optional()
    .describe("of a model that the workload ran in its own process: the end as it reports it, attested and not observed"),
  partial: z.boolean().optional().describe("true where part of an answer went out and its end did not"),
  tools: z.array(JudgedTool).max(1000).optional().describe("the tools that the answer calls, each judged before its call left; absent where it calls none"),
  events: count.optional().describe("of a stream: the events that were read, each scanned in every text"),
  redactions: z.array(RedactionCount).optional().describe("what was taken out of the answer"),
  attempts: z.array(Attempt).max(100).optional().describe("every sending to the provider, where there was more than one"),
  cost: SettledCost.optional(),
  bound: z.array(BoundIdBody).max(200).optional().describe("ids that the provider gave out, from now on the system's"),
  unbound: z.array(z.strictObject({ provider: text, id: text })).max(200).optional().describe("ids that mean nothing from now on"),
  shipped: Shipped.optional(),
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
  requestable: z
    .strictObject({ template: text, asked: Digest, until: count })
    .optional()
    .describe("of a denial that an approval lifts: what an access request names, the digest of the question that it must repeat, and until when"),
});
export type AccessDecisionBody = z.output<typeof AccessDecisionBody>;

/** The runtime entry kinds of the gateway with the version that is written today. */
export const gatewayEntries = {
  "gateway.decision": { v: 2, body: GatewayDecisionBody },
  "gateway.outcome": { v: 2, body: GatewayOutcomeBody },
  "access.decision": { v: 2, body: AccessDecisionBody },
  "gateway.content": { v: 1, body: GatewayContentBody },
} as const;
