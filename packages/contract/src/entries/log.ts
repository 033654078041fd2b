import { z } from "zod";
import { Time } from "../vocabulary.ts";

const count = z.int().min(0);

/** Entry `log.restored`, version 1: the first of a shard. What was restored from a backup is continued here, never there. */
export const LogRestored = z.strictObject({
  previous: z.strictObject({
    origin: z.string(),
    size: count.describe("entries of the frozen shard"),
    root: z.base64().describe("of all those entries, RFC 6962"),
    checkpoint: z.string().nullable().describe("the last signed one of the frozen shard; null when none was signed"),
    consistency: z.array(z.base64()).describe("RFC 6962 section 2.1.2, from the checkpoint's tree to `size`"),
  }),
  restoredAt: Time,
  restoredBy: z.string().describe("the account of the machine that ran the command"),
  discarded: count.nullable().describe("entries that the keys remember beyond the backup; null when the keys remember none"),
});
export type LogRestored = z.output<typeof LogRestored>;

/** Entry `log.pruned`, version 1: entries below the index are no longer served, and erased payloads give their space back. */
export const LogPruned = z.strictObject({
  minimumIndex: count.describe("in the whole log, across shards"),
  reclaimedBytes: count.describe("of payloads whose keys were destroyed"),
  by: z.string().describe("the account of the machine that ran the command"),
});
export type LogPruned = z.output<typeof LogPruned>;
