import { LicetError, type ModelCheck } from "@licet/contract";
import { z } from "zod";
import { scoredOf } from "../performance/answered.ts";
import { logLosses } from "../performance/losses.ts";
import { type EpsilonCounts, epsilonLowerBound, oneRunEpsilon } from "../privacy/epsilon.ts";
import { decideEpsilon, type EpsilonStatistics, measureEpsilon, measureOneRun } from "../privacy/epsilon-audit.ts";
import { binomialCdf } from "../stats/beta.ts";
import { permutation, randomFrom } from "../stats/random.ts";
import type { Components } from "../suite/component.ts";
import { numericColumn } from "../table/cast.ts";
import { type Limit, type Outcome, silent } from "../verdict/outcome.ts";
import { countsOf, withheld } from "../verdict/settle.ts";
import { isOneClass } from "./hollow.ts";
import { inputOf } from "./loaded.ts";
import { count, evidence } from "./model-figures.ts";
import { predict, type Predictions } from "./predictions.ts";
import { membership } from "./privacy-membership.ts";
import { type ScoredCheck, type Scoring, scoringOf } from "./scoring.ts";
import { statisticsCheck } from "./statistics.ts";

type Of<Id extends ModelCheck["check"]> = Extract<ModelCheck, { check: Id }>;

interface Attacked {
  readonly members: Float64Array;
  readonly nonmembers: Float64Array;
  readonly found: Scoring["found"];
}

/** By how much a row's loss speaks for a member: a low one does. */
function likely(of: Predictions): Float64Array {
  return logLosses(scoredOf(of)).map((each) => -each);
}

async function lossesOf(check: ScoredCheck, training: string, files: Components): Promise<Attacked> {
  const { predictions, found } = await scoringOf(check, files);
  const train = await files.table(training);
  const model = await files.model(check.model);
  const seen = await predict(model, train.content, check);
  return { members: likely(seen), nonmembers: likely(predictions), found: { ...found, inputs: [...found.inputs, inputOf("train", train)], queries: found.queries + seen.attempted, oneClass: found.oneClass || isOneClass(seen.target) } };
}

type Audit<Kind> = Omit<Extract<EpsilonStatistics, { kind: Kind }>, "notes">;
type Attack = Audit<"attack">;
type OneRun = Audit<"one-run"> & { readonly canaries: number; readonly included: number };

const epsilon = statisticsCheck<Of<"privacy.epsilon">, Attack | OneRun>({
  check: "privacy.epsilon",
  version: "2",
  op: "<=",
  unit: "privacy loss that the attack shows",
  figures: z.discriminatedUnion("kind", [
    z.object({ ...evidence, kind: z.literal("attack"), counts: z.object({ threshold: z.number(), tp: count, members: count, fp: count, nonmembers: count }) }),
    z.object({ ...evidence, kind: z.literal("one-run"), guesses: count, correct: count, canaries: count, included: count }),
  ]),
  limitValue: ({ max }) => max,
  components: ({ model, dataset, members }) => [model, dataset, ...(members === undefined ? [] : [members])],
  measure: async (check, files, { seed }) => {
    const { notes, found, ...figures } = await (check.members === undefined ? oneRunOf(check, files, seed) : attackOf(check, check.members, { files, seed }));
    return { ...found, figures, counts: countsOf(figures), notes };
  },
  decide: (figures, limit) => {
    if (figures.kind === "one-run" && !isFairCoin(figures)) return silent("inconsistent_import");
    const outcome = decideEpsilon({ ...figures, notes: [] }, limit);
    return outcome.verdict === "pass" && !couldRefute(figures, limit) ? withheldFew(outcome) : outcome;
  },
});

function withheldFew(outcome: Outcome): Outcome {
  return withheld(outcome, "too_few");
}

type Found = Pick<Scoring, "found"> & { readonly notes: readonly string[] };

async function attackOf(check: Of<"privacy.epsilon">, training: string, { files, seed }: { readonly files: Components; readonly seed: string }): Promise<Attack & Found> {
  const { members, nonmembers, found } = await lossesOf(check, training, files);
  // Tables are often sorted, and the threshold comes from the first half: it must be like the second.
  const random = randomFrom(`${seed}/halves`);
  const shuffled = (losses: Float64Array) => Float64Array.from(permutation(random, losses.length), (row) => losses[row] ?? Number.NaN);
  const figures = measureEpsilon({ members: shuffled(members), nonmembers: shuffled(nonmembers) }, { kind: "fpr", share: Math.exp(-check.max) / 2 });
  if (figures.kind !== "attack") throw new TypeError("an attack counts what it did at its threshold");
  return { ...figures, found };
}

/** The canaries of lowest loss are guessed to be in, as many of highest loss to be out, and nothing is said of the rest. */
async function oneRunOf(check: Of<"privacy.epsilon">, files: Components, seed: string): Promise<OneRun & Found> {
  const { included: column = "", guesses = 0 } = check.canaries ?? {};
  const table = (await files.table(check.dataset)).content;
  // What tells the answer must not be seen by the model.
  const features = check.features ?? table.columns.filter((each) => each !== check.target && each !== column);
  if (features.includes(column)) throw new LicetError("model_input_mismatch", { message: `\`features\` names \`${column}\`, which says what was included: a model must not see it` });
  const { predictions, found } = await scoringOf({ ...check, features }, files);
  const coins = coinsOf(numericColumn(table, column), column);
  const scores = likely(predictions);
  const known = [...permutation(randomFrom(`${seed}/canaries`), scores.length)].filter((row) => Number.isFinite(scores[row]));
  // Ties stay in drawn order: that of the file may tell.
  const ranked = known.toSorted((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
  const made = Math.min(guesses, ranked.length);
  const guessed = new Uint8Array(scores.length).fill(255);
  for (const row of ranked.slice(0, Math.ceil(made / 2))) guessed[row] = 1;
  for (const row of ranked.slice(ranked.length - Math.floor(made / 2))) guessed[row] = 0;
  const audit = measureOneRun(coins, guessed);
  if (audit.kind !== "one-run") throw new TypeError("an audit of one run counts guesses");
  const included = coins.reduce((sum, coin) => sum + coin, 0);
  const said = `${audit.correct} of ${audit.guesses} guesses are right; ${included} of ${coins.length} canaries were included`;
  return { ...audit, attempted: scores.length, assessed: known.length, canaries: coins.length, included, notes: [said, ...audit.notes], found: { ...found, oneClass: false } };
}

function coinsOf(values: Float64Array, column: string): Uint8Array {
  const wrong = values.findIndex((value) => value !== 0 && value !== 1);
  if (wrong >= 0) throw new LicetError("table_value_invalid", { message: `row ${wrong + 1} of \`${column}\` is neither 1 (included) nor 0`, at: { row: wrong + 1, column } });
  return Uint8Array.from(values);
}

const coinDoubt = 0.001;

/** The bound holds for fair coins alone: so many or so few heads happen to them once in a thousand times. */
function isFairCoin({ canaries, included }: OneRun): boolean {
  if (included > canaries) return false;
  const p = 2 * Math.min(binomialCdf(included, canaries, 0.5), 1 - binomialCdf(included - 1, canaries, 0.5));
  return canaries > 0 && p >= coinDoubt;
}

/** An audit that could not fail even by being right about everybody has shown nothing. */
function couldRefute(figures: Attack | OneRun, { value, alpha }: Limit): boolean {
  return (figures.kind === "attack" ? mostOfAttack(figures.counts, alpha) : oneRunEpsilon({ ...figures, correct: figures.guesses }, alpha)) > value;
}

/** An attack at a false positive rate f shows at most -ln f. */
function mostOfAttack(counts: EpsilonCounts, alpha: number): number {
  return epsilonLowerBound({ ...counts, tp: counts.members }, alpha / 2);
}

export const privacyChecks = [membership, epsilon] as const;
