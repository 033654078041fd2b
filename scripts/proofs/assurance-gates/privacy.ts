import { decideEpsilon, measureEpsilon } from "../../../packages/assurance/src/privacy/epsilon-audit.ts";
import { decideAttribute, measureAttribute } from "../../../packages/assurance/src/privacy/attribute.ts";
import { decideMembership, measureMembership } from "../../../packages/assurance/src/privacy/membership.ts";
import { normalQuantile } from "../../../packages/assurance/src/stats/normal.ts";
import { binomial, coin, column, countedGate, type Gate, limit } from "./gate.ts";

const epsilon = 1;
/** Randomised response: what tells most for its epsilon. */
const honest = Math.exp(epsilon) / (1 + Math.exp(epsilon));

const membership: readonly Gate[] = [
  {
    name: "privacy.membership auc 0.6 of 200 and 200",
    tests: "both",
    draw: (random) => {
      const scores = { members: column(200, () => random.normal() + Math.SQRT2 * normalQuantile(0.6)), nonmembers: column(200, () => random.normal()) };
      return decideMembership(measureMembership(scores, { attack: "loss", figure: "auc" }), limit("<=", 0.6));
    },
  },
  {
    name: "privacy.membership tpr 0.03 of 600",
    tests: "both",
    draw: (random) => {
      const scores = { members: column(600, () => (coin(random, 0.03) === 1 ? 100 : -100)), nonmembers: column(600, () => random.normal()) };
      return decideMembership(measureMembership(scores, { attack: "loss", figure: "tpr" }), limit("<=", 0.03));
    },
  },
];

const audits: readonly Gate[] = [
  {
    name: "privacy.epsilon 1 by randomised response",
    tests: "both",
    draw: (random) => decideEpsilon(measureEpsilon({ members: column(400, () => coin(random, honest)), nonmembers: column(400, () => coin(random, 1 - honest)) }), limit("<=", epsilon)),
  },
  countedGate({ name: "privacy.epsilon 1 in one run of 300 canaries", tests: "both" }, (random) => [binomial(random, 300, honest)], ([correct = 0]) =>
    decideEpsilon({ kind: "one-run", attempted: 300, assessed: 300, degenerate: null, notes: [], guesses: 300, correct }, limit("<=", epsilon)),
  ),
];

const attributes: readonly Gate[] = [
  {
    name: "privacy.attribute 0.05 above the base of 400",
    tests: "both",
    // The model betrays the attribute of 5 % of the rows beside the 60 % that the commonest value gets right.
    draw: (random) => {
      const rows = Array.from({ length: 400 }, () => Float32Array.of(coin(random, 0.4), random.uniform() < 0.125 ? 1 : 0));
      const subject = (asked: readonly Float32Array[]) => ({
        classes: 2,
        scores: Float64Array.from({ length: 2 * asked.length }, (_, index) => {
          const [at, original] = [asked[index >> 1], rows[index >> 1]];
          const betrayed = original?.[0] === 1 && original[1] === 1;
          return betrayed ? (at?.[0] === 1 ? 1 : 0.001) : 0.5;
        }),
      });
      return decideAttribute(measureAttribute(subject, rows, { feature: 0, values: [0, 1], truth: new Uint32Array(400) }), limit("<=", 0.05));
    },
  },
];

export const privacyGates: readonly Gate[] = [...membership, ...audits, ...attributes];
