import { z } from "zod";
import { PackSources } from "../policy-pack.ts";
import { Digest, Envelope, Id, Slug, Time } from "../vocabulary.ts";

/** Text of all packs that one space may have of its own, so that a publication fits into one entry of the log. */
export const spacePacksBytesMax = 1_048_576;
export const publishCommentCharactersMax = 4000;

/** Body of `policy.published`, version 1: the installation's schema and policies in full. */
export const PolicyPublishedV1 = z.strictObject({
  digest: Digest,
  bundle: z.strictObject({
    v: z.literal(1),
    schema: z.string(),
    policies: z.array(z.strictObject({ id: z.string(), effect: z.enum(["permit", "forbid"]), text: z.string(), annotations: z.record(z.string(), z.string()) })),
  }),
  publishedBy: z.string(),
  statement: Envelope.optional(),
});

/** Why a bundle was published: by people, because the installation brought other packs, or because `main` has another baseline. */
export const PublicationOccasion = z.enum(["request", "installation", "baseline"]);
export type PublicationOccasion = z.output<typeof PublicationOccasion>;

/** Body of `policy.published`, version 2: the bundle in full, and the space's own packs, from which it can be composed anew. */
export const PolicyPublished = z.strictObject({
  digest: Digest,
  bundle: z.record(z.string(), z.json()),
  packs: PackSources,
  occasion: PublicationOccasion,
  comment: z.string().max(publishCommentCharactersMax),
  request: Id.nullable().describe("the gate move; null when the server published"),
  outcome: z.string().describe("by whom it was approved, or `sole operator`"),
  approvals: z.array(Id),
  publishedBy: z.string(),
  compiledBy: z.string().max(80).describe("the version of Licet that composed it"),
  statement: Envelope.optional(),
});
export type PolicyPublished = z.output<typeof PolicyPublished>;

const count = z.int().nonnegative();

/** What a candidate bundle would have changed, counted in calls. */
export const BacktestCounts = z.strictObject({ decisions: count, denyToAllow: count, allowToDeny: count, reasons: count.describe("same decision, by other policies"), unchanged: count });
export type BacktestCounts = z.output<typeof BacktestCounts>;

export const BacktestUndecided = z
  .strictObject({
    refusedBefore: count.describe("refused before policies were asked: nothing is recorded that could be decided again"),
    erased: count.describe("the key of the record was destroyed"),
    misfit: count.describe("the recorded request does not fit the candidate's schema"),
    unreadable: count.describe("the record does not hold what its leaf says"),
  })
  .meta({ id: "BacktestUndecided" });

const example = z.strictObject({ decision: Id, change: z.enum(["deny-to-allow", "allow-to-deny", "reasons"]), system: z.string().nullable(), at: Time });

/** Which recorded calls a candidate would have decided otherwise. */
export const BacktestReport = z
  .strictObject({
    v: z.literal(1),
    candidate: Digest,
    from: Time,
    to: Time,
    system: z.string().nullable(),
    counts: BacktestCounts,
    undecided: BacktestUndecided,
    bySystem: z.array(z.strictObject({ system: z.string().nullable(), counts: BacktestCounts })).describe("the most changed first; the rest is summed as `null`"),
    byPolicy: z
      .array(z.strictObject({ policy: z.string(), denyToAllow: count, allowToDeny: count, reasons: count, warnings: count, shadowed: count, examples: z.array(Id) }))
      .describe("policies that decide in the candidate and not in the record, or the other way round; `(no permit)` where none permits"),
    examples: z.array(example),
  })
  .meta({ id: "BacktestReport" });
export type BacktestReport = z.output<typeof BacktestReport>;

/** Body of `policy.backtested`, version 1: the end of a backtest, with its report. */
export const PolicyBacktested = z.strictObject({ backtest: Id, candidate: Digest, active: Digest, askedBy: z.string(), report: BacktestReport });
export type PolicyBacktested = z.output<typeof PolicyBacktested>;

const PolicyOutcome = z.strictObject({ decision: z.enum(["allow", "deny"]), reasons: z.array(z.string()), warnings: z.array(z.string()), shadowed: z.array(z.string()), errors: z.array(z.string()) });

/** Body of `policy.mismatch`, version 1: a live decision that Cedar's own implementation makes otherwise; nothing of the request but its digest. */
export const PolicyMismatched = z.strictObject({ policyDigest: Digest, request: Digest, ours: PolicyOutcome, theirs: PolicyOutcome, at: Time });
export type PolicyMismatched = z.output<typeof PolicyMismatched>;

/** Body of `request.opened`'s detail for the move `publish-policy`. */
export const PublishPolicyDetail = z.strictObject({
  digest: Digest.describe("of the bundle that would be published, as composed when it was asked for"),
  base: Digest.describe("of the bundle that was active then"),
  packs: PackSources.describe("new or replaced"),
  remove: z.array(Slug),
  comment: z.string(),
  changes: z.array(z.json()),
});
export type PublishPolicyDetail = z.output<typeof PublishPolicyDetail>;
