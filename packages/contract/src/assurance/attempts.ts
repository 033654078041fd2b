import { z } from "zod";
import { Digest, Id, Time } from "../vocabulary.ts";

/** What all attempts on one subject may spend together: the rate at which it may pass though it must not. */
export const alphaMax = 0.05;

/** More uses of one data set than this, each chosen with the answers of those before in hand, wear it out (Dwork et al. 2015). */
export const reuseMax = 20;

/** One check of a ticket: what is tried, for which time, and what it may spend. In the log before anything is shown. */
export const ReservedAttempt = z
  .strictObject({
    check: z.string().describe("id in the manifest"),
    kind: z.string().describe("id in the catalogue"),
    version: z.string(),
    subject: Digest.describe("of what is judged; a file is its own digest"),
    data: Digest.nullable().describe("of what it is judged on; null where only the runner will know, and then it counts as new"),
    configuration: Digest.describe("of the check as declared, without its id, its label and whether it is advisory"),
    reads: z.array(Digest).describe("data sets that it is judged on"),
    index: z.int().positive(),
    alpha: z.number().positive().max(alphaMax).describe("6 alpha / (pi^2 index^2)"),
    previous: z.array(z.string()).describe("results of the attempts before; of one without a result, its ticket"),
    seed: z.string(),
    drawnAs: z.string().describe("whatever is drawn comes from the seed and this name"),
    repeats: Id.nullable().describe("the result of another producer that this run makes again: same seed, same alpha, nothing spent"),
  })
  .meta({ id: "ReservedAttempt" });
export type ReservedAttempt = z.output<typeof ReservedAttempt>;

/** A check that was judged before on the same data: its verdict stands, and nothing is run. */
export const SettledCheck = z.strictObject({ check: z.string(), result: Id }).meta({ id: "SettledCheck" });
export type SettledCheck = z.output<typeof SettledCheck>;

/** How often a data set was used to judge something, over the releases of a system. */
export const DatasetReuse = z.strictObject({ id: z.string(), digest: Digest, uses: z.int().nonnegative() }).meta({ id: "DatasetReuse" });
export type DatasetReuse = z.output<typeof DatasetReuse>;

/** How long the server has to make a drawn check again where the ticket says nothing else. */
export const repeatMsDefault = 72 * 60 * 60 * 1000;

/** The drawn check of a ticket, and what the server's runner found. Until it agrees no result of the ticket counts. */
export const RepeatView = z
  .strictObject({
    check: z.string(),
    reported: Id,
    state: z.enum(["owed", "agrees", "disagrees", "void"]).describe("`void`: not made within its time, and disputed for that"),
    since: Time.describe("when the last result of the ticket came in"),
    until: Time.describe("what is still owed then is disputed"),
    failed: z.strictObject({ code: z.string(), at: Time }).nullable().describe("why the last try ended without an answer, since the server was started"),
    lacking: z.array(z.strictObject({ name: z.string(), digest: Digest })).describe("files that the server's runner needs and does not hold"),
    differences: z.array(z.string()),
    entry: Id.nullable(),
  })
  .meta({ id: "RepeatView" });
export type RepeatView = z.output<typeof RepeatView>;
