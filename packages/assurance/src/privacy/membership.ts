import { rocOf, separation } from "../performance/roc.ts";
import { auc, aucBounds, countPairs } from "../stats/auc.ts";
import { decideAuc, decideRate } from "../verdict/decide-rate.ts";
import { type Limit, type Outcome, silent } from "../verdict/outcome.ts";
import { round12 } from "../verdict/round.ts";
import { contradicted, type Evidence, isRate, settle, unusable } from "../verdict/settle.ts";
import { type AttackScores, type EpsilonCounts, splitThreshold } from "./epsilon.ts";

/** Share of non-members that may be called members where the true positive rate is read. */
export const lowFpr = 0.01;

export interface MembershipStatistics extends Evidence {
  readonly attack: string;
  /** Which figure the limit is about: the AUC, or the true positive rate at a false positive rate of one per cent. */
  readonly figure: "auc" | "tpr";
  readonly wins: number;
  readonly ties: number;
  readonly positives: number;
  readonly negatives: number;
  /** Threshold from the first halves, counts on the second. */
  readonly heldOut: EpsilonCounts;
  readonly notes: readonly string[];
}

/**
 * `privacy.membership`: how well an attack score tells rows that the model was trained on from rows that it was not.
 * Scores are higher for likelier members, in an order that does not depend on them. Rows without a finite score are not
 * assessed. Sources of the scores: see membership-scores.
 */
export function measureMembership(scores: AttackScores, { attack, figure }: { readonly attack: string; readonly figure: "auc" | "tpr" }): MembershipStatistics {
  const finite = { members: scores.members.filter((score) => Number.isFinite(score)), nonmembers: scores.nonmembers.filter((score) => Number.isFinite(score)) };
  const joined = new Float64Array(finite.members.length + finite.nonmembers.length);
  joined.set(finite.members);
  joined.set(finite.nonmembers, finite.members.length);
  const positive = Uint8Array.from(joined, (_, row) => (row < finite.members.length ? 1 : 0));
  const pairs = countPairs(joined, positive);
  const heldOut = splitThreshold(finite, { kind: "fpr", share: lowFpr });
  const advantage = separation(rocOf({ scores: joined, positive }));
  return {
    attempted: scores.members.length + scores.nonmembers.length,
    assessed: joined.length,
    degenerate: joined.length > 0 && joined.every((score) => score === joined[0]) ? "constant_predictions" : null,
    attack,
    figure,
    ...pairs,
    heldOut: { ...heldOut, threshold: Number.isFinite(heldOut.threshold) ? round12(heldOut.threshold) : 0 },
    notes: Number.isNaN(advantage) ? [] : [`the best threshold tells members from others with an advantage of ${advantage.toPrecision(3)}; at a held-out one ${heldOut.tp} of ${heldOut.members} members and ${heldOut.fp} of ${heldOut.nonmembers} others are called members`],
  };
}

/** Against a limit with op `<=`: the AUC by Newcombe's method 5, the true positive rate by Clopper-Pearson. */
export function decideMembership(statistics: MembershipStatistics, limit: Limit): Outcome {
  const bad = unusable(limit) ?? (limit.op === "<=" ? undefined : silent("inconsistent_import"));
  return bad ?? contradicted(consistent(statistics)) ?? settle(statistics.figure === "auc" ? decideSeparation(statistics, limit) : decideTpr(statistics, limit), statistics);
}

function consistent({ wins, ties, positives, negatives, heldOut, assessed }: MembershipStatistics): boolean {
  const counted = isRate(heldOut.tp, heldOut.members) && heldOut.members <= positives && isRate(heldOut.fp, heldOut.nonmembers) && heldOut.nonmembers <= negatives;
  return counted && isRate(wins + ties, positives * negatives) && positives + negatives === assessed;
}

function decideSeparation(pairs: MembershipStatistics, limit: Limit): Outcome {
  if (pairs.positives === 0 || pairs.negatives === 0) return silent("undefined_denominator");
  const estimate = auc(pairs);
  // Far below one half the score tells members just as well, turned around: the two files are likely exchanged.
  return aucBounds(estimate, pairs, limit.alpha).upper < 1 - limit.value ? { ...silent("inconsistent_import"), estimate } : decideAuc(pairs, limit);
}

function decideTpr({ heldOut }: MembershipStatistics, limit: Limit): Outcome {
  const { tp, members, nonmembers } = heldOut;
  return nonmembers === 0 ? silent("undefined_denominator") : decideRate({ events: tp, n: members }, limit);
}
