import { z } from "zod";
import { Digest, Id } from "../vocabulary.ts";
import { Currency } from "../manifest/budgets.ts";
import { SnapshotStamp } from "./gateway.ts";

const text = z.string().max(400);
const count = z.int().nonnegative();

/** `runner.asked`: that a question of the server's runner may leave, or why not. Durable before its first byte does. */
export const RunnerAsked = z.strictObject({
  id: Id,
  ticket: Id,
  release: Digest,
  decision: z.enum(["allow", "deny"]),
  code: text.nullable().describe("why not, from the registry of errors; null when allowed. Of many refusals for one reason the first"),
  number: count.describe("of the questions that left in this run, counting this one; of a refusal those before it"),
  model: text.describe("name in the manifest"),
  upstreamModel: text.nullable(),
  provider: text.nullable(),
  vendor: text.nullable(),
  region: text.nullable(),
  digest: Digest.describe("of the bytes as they leave"),
  bytes: count,
  reserved: z
    .strictObject({ tokens: count, costMicros: count.nullable(), currency: Currency.nullable() })
    .nullable()
    .describe("the most that it can come to, taken from the ticket's budget; null where it was refused before"),
  snapshot: SnapshotStamp.nullable(),
});
export type RunnerAsked = z.output<typeof RunnerAsked>;

/** `runner.answered`: what became of a question that left. An answer is used only once this is durable. */
export const RunnerAnswered = z.strictObject({
  question: Id.describe("the `runner.asked`"),
  ticket: Id,
  status: z.int().nullable().describe("of the provider; null where nobody answered"),
  code: text.nullable().describe("why nobody answered"),
  digest: Digest.nullable().describe("of the answer's text"),
  bytes: count,
  tokens: count.nullable().describe("as the provider counts them; null where it does not say, and then what was reserved is spent"),
  costMicros: count.nullable(),
  currency: Currency.nullable(),
  ms: count,
});
export type RunnerAnswered = z.output<typeof RunnerAnswered>;
