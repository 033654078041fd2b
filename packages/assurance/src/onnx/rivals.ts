import type { Link, Structure } from "./structure.ts";

/**
 * What keeps the decision: `weights . outputs + offset` is positive while the decided class beats this rival, zero
 * on the boundary. The outputs are those of the network or forest, before its link.
 */
export interface Rival {
  readonly rival: number;
  readonly weights: readonly number[];
  readonly offset: number;
}

export interface DecisionRule {
  readonly outputs: number;
  readonly link: Link;
  /** Score of class 1 from which on it is decided; of two classes and of one score. Default 0.5. */
  readonly threshold?: number;
}

/**
 * All rivals of a decided class. With one or two classes the decision is score >= threshold, with more the largest
 * score. Every link rises with its outputs, so the decision can be told before the link.
 */
export function rivalsOf(rule: DecisionRule, decided: number): readonly Rival[] {
  const threshold = rule.threshold ?? 0.5;
  const sign = decided === 1 ? 1 : -1;
  const logit = Math.log(threshold / (1 - threshold));
  if (rule.outputs === 1) return [{ rival: 1 - decided, weights: [sign], offset: -sign * (rule.link === "identity" ? threshold : logit) }];
  if (rule.outputs === 2 && threshold !== 0.5) return [pairAt(rule, decided, { threshold, logit })];
  return Array.from({ length: rule.outputs }, (_, rival) => rival)
    .filter((rival) => rival !== decided)
    .map((rival) => ({ rival, weights: Array.from({ length: rule.outputs }, (_, index) => (index === decided ? 1 : index === rival ? -1 : 0)), offset: 0 }));
}

function pairAt(rule: DecisionRule, decided: number, at: { threshold: number; logit: number }): Rival {
  const sign = decided === 1 ? 1 : -1;
  if (rule.link === "shares") return { rival: 1 - decided, weights: [-sign, sign], offset: -sign * at.logit };
  return { rival: 1 - decided, weights: [0, sign], offset: -sign * (rule.link === "identity" ? at.threshold : at.logit) };
}

/** The class that scores decide for: class 1 of one or two when it reaches the threshold, else the first largest. */
export function decidedClass(scores: ArrayLike<number>, options: { start: number; columns: number; threshold?: number }): number {
  const { start, columns } = options;
  if (columns <= 2) return (scores[start + columns - 1] ?? Number.NaN) >= (options.threshold ?? 0.5) ? 1 : 0;
  let best = 0;
  for (let column = 1; column < columns; column += 1) {
    if ((scores[start + column] ?? Number.NaN) > (scores[start + best] ?? Infinity)) best = column;
  }
  return best;
}

/** Number of outputs before the link; 0 for an opaque model. */
export function outputsOf(structure: Structure): number {
  if (structure.kind === "forest") return structure.forest.targets;
  if (structure.kind === "opaque") return 0;
  return structure.network.last.kind === "matrix" ? structure.network.last.rows : (structure.network.layers.at(-1)?.rows ?? structure.network.inputs);
}
