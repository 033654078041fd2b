import { loadModel, numericColumn } from "../../packages/assurance/src/index.ts";
import type { ClassScored } from "../../packages/assurance/src/performance/multi-class.ts";
import { mean } from "../../packages/assurance/src/performance/losses.ts";
import { type AttackScores, epsilonLowerBound, epsilonRates, oneRunEpsilon, splitThreshold } from "../../packages/assurance/src/privacy/epsilon.ts";
import { decideMembership, measureMembership } from "../../packages/assurance/src/privacy/membership.ts";
import { confidences, liraOffline, modifiedEntropies, type ReferenceSignals, rightAnswers, rmiaOffline, rowLosses } from "../../packages/assurance/src/privacy/membership-scores.ts";
import { normalCdf } from "../../packages/assurance/src/stats/normal.ts";
import { featuresOf } from "./models.ts";
import { rankFigures } from "./performance.ts";
import { compareFigures, each, type Figures, guarded, isFigures, number } from "./stats-figures.ts";
import { bytes, csv, json, type OracleOptions, type Tally } from "./tally.ts";

/** Scores in 32 bits tie differently from one runtime to the next; the conventions of the file ask for this. */
const tieTolerance = 0.01;
/** The reference takes the threshold that a tenth of the first-half non-members reach. */
const thresholdShare = 0.1;

/** Membership attacks on every model, on given signals, and one-run audits. */
export function comparePrivacy(tally: Tally, options: OracleOptions): void {
  const { conventions: _, models, rmia_offline: rmia, lira_offline_pooled: lira, one_run_audit_pure_dp: oneRun, ...unknown } = json(options, "privacy/expected.json") as Figures;
  for (const [section, value] of Object.entries(unknown)) tally.same(section, "not compared", value);
  for (const [name, row] of Object.entries(isFigures(models) ? models : {})) {
    if (options.quick && !name.startsWith("breast")) continue;
    guarded(tally, name, () => compareModel(tally, options, { name, row: isFigures(row) ? row : {} }));
  }
  if (isFigures(rmia) || isFigures(lira)) guarded(tally, "signals", () => compareSignals(tally, options, { rmia, lira }));
  each(tally, { one_run_audit_pure_dp: oneRun ?? [] }, { sections: { one_run_audit_pure_dp: compareOneRun }, skip: [] });
}

function compareOneRun(tally: Tally, name: string, row: Figures): void {
  const [guesses, correct, beta] = [number(row, "guesses"), number(row, "correct"), number(row, "beta")];
  compareFigures(tally, `${name} ${correct} of ${guesses}`, { row, given: ["guesses", "correct", "beta"], found: { epsilon_lower_bound: oneRunEpsilon({ guesses, correct }, beta) } });
}

interface Case {
  readonly name: string;
  readonly row: Figures;
}

function compareModel(tally: Tally, options: OracleOptions, { name, row }: Case): void {
  const scored = (key: string) => scoredOf(options, String(row["model"]), String(row[key]));
  const [members, nonmembers] = [scored("members"), scored("nonmembers")];
  const [lossIn, lossOut] = [rowLosses(members), rowLosses(nonmembers)];
  const negated = (values: Float64Array) => values.map((value) => -value);
  const attacks: Readonly<Record<string, AttackScores>> = {
    loss_threshold_attack_score_minus_loss: { members: negated(lossIn), nonmembers: negated(lossOut) },
    confidence_attack_max_prob: { members: confidences(members), nonmembers: confidences(nonmembers) },
    modified_entropy_attack: { members: negated(modifiedEntropies(members)), nonmembers: negated(modifiedEntropies(nonmembers)) },
  };
  const [rightIn, rightOut] = [meanOf(rightAnswers(members)), meanOf(rightAnswers(nonmembers))];
  const threshold = mean(lossIn);
  const share = (losses: Float64Array) => losses.filter((loss) => loss <= threshold).length / losses.length;
  const verdicts = Object.keys(row).flatMap((key) => /^verdict_auc_max_(.*)$/u.exec(key)?.[1] ?? []);
  const main = attacks["loss_threshold_attack_score_minus_loss"] ?? { members: lossIn, nonmembers: lossOut };
  compareFigures(tally, name, {
    row,
    given: ["model", "members", "nonmembers"],
    found: {
      mean_loss_members: threshold,
      mean_loss_nonmembers: mean(lossOut),
      ...Object.fromEntries(Object.entries(attacks).map(([key, scores]) => [key, attackFigures(scores, row[key])])),
      rule_based_gap_attack: { tpr: rightIn, fpr: rightOut, balanced_accuracy: (rightIn + 1 - rightOut) / 2 },
      art_rule_based: { member_rate_on_members: rightIn, member_rate_on_nonmembers: rightOut },
      yeom_mean_train_loss_threshold: { threshold, tpr: share(lossIn), fpr: share(lossOut), advantage: share(lossIn) - share(lossOut) },
      ...Object.fromEntries(verdicts.map((limit) => [`verdict_auc_max_${limit}`, aucVerdict(main, Number(limit))])),
    },
    absolute: () => tieTolerance,
  });
}

function scoredOf(options: OracleOptions, model: string, file: string): ClassScored {
  const table = csv(options, file);
  const { scores, classes } = loadModel(bytes(options, model)).score(featuresOf(table), table.rows);
  const target = numericColumn(table, "target");
  const labels = classes.map(Number);
  if (classes.length > 1) return { truth: Uint32Array.from(target, (value) => Math.max(0, labels.indexOf(value))), scores: Float64Array.from(scores), classes: classes.length };
  return { truth: Uint32Array.from(target), scores: Float64Array.from({ length: 2 * table.rows }, (_, index) => (index % 2 === 1 ? (scores[index >> 1] ?? 0) : 1 - (scores[index >> 1] ?? 0))), classes: 2 };
}

function joined({ members, nonmembers }: AttackScores): { readonly scores: Float64Array; readonly positive: Uint8Array } {
  const scores = Float64Array.of(...members, ...nonmembers);
  return { scores, positive: Uint8Array.from(scores, (_, row) => (row < members.length ? 1 : 0)) };
}

function attackFigures(attack: AttackScores, expected: unknown): Figures {
  const row = isFigures(expected) ? expected : {};
  const scored = joined(attack);
  const found = rankFigures(scored, row);
  const advantage = Number(found["ks_separation"]);
  const epsilons = Object.keys(row).flatMap((key) => /^epsilon_lower_(\d+)$/u.exec(key)?.[1] ?? []);
  return {
    n_members: attack.members.length,
    n_nonmembers: attack.nonmembers.length,
    ...found,
    advantage_max_tpr_minus_fpr: advantage,
    balanced_accuracy_best: (1 + advantage) / 2,
    ...Object.fromEntries(epsilons.map((level) => [`epsilon_lower_${level}`, epsilonFigures(attack, (1 - Number(level) / 100) / 2)])),
  };
}

function epsilonFigures(attack: AttackScores, alpha: number): Figures {
  const counts = splitThreshold(attack, { kind: "fpr", share: thresholdShare });
  const { tprLower, fprUpper } = epsilonRates(counts, alpha);
  return {
    threshold_from_first_half: counts.threshold,
    tp: counts.tp,
    n_members: counts.members,
    fp: counts.fp,
    n_nonmembers: counts.nonmembers,
    [`tpr_lower_${1 - alpha}`]: tprLower,
    [`fpr_upper_${1 - alpha}`]: fprUpper,
    epsilon: epsilonLowerBound(counts, alpha),
  };
}

function aucVerdict(attack: AttackScores, value: number): string {
  return decideMembership(measureMembership(attack, { attack: "loss", figure: "auc" }), { op: "<=", value, alpha: 0.05, source: "oracle" }).verdict;
}

function compareSignals(tally: Tally, options: OracleOptions, { rmia, lira }: { readonly rmia: unknown; readonly lira: unknown }): void {
  const [targets, population] = [csv(options, "privacy/rmia_targets.csv"), csv(options, "privacy/rmia_population.csv")];
  const signals = (table: typeof targets): ReferenceSignals => ({
    target: numericColumn(table, "p_target"),
    out: table.columns.filter((column) => column.startsWith("p_out")).map((column) => numericColumn(table, column)),
  });
  const member = targets.cells("member");
  const split = (scores: Float64Array): AttackScores => ({ members: scores.filter((_, row) => member[row] === "1"), nonmembers: scores.filter((_, row) => member[row] !== "1") });
  if (isFigures(rmia)) {
    const scores = rmiaOffline(signals(targets), signals(population), { a: number(rmia, "a"), gamma: number(rmia, "gamma") });
    compareFigures(tally, "rmia", { row: rmia, given: ["a", "gamma"], found: { first5: [...scores.subarray(0, 5)], ...attackFigures(split(scores), rmia) } });
  }
  if (isFigures(lira)) {
    const { scores, pooledSd } = liraOffline(signals(targets));
    const shares = scores.map(normalCdf);
    compareFigures(tally, "lira", { row: lira, given: [], found: { pooled_sd: pooledSd, first5: [...shares.subarray(0, 5)], ...attackFigures(split(shares), lira) } });
  }
}

function meanOf(values: Uint8Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
