import type { CheckBasis, FairnessCheck } from "@licet/contract";
import { comparePairs } from "../verdict/differences.ts";
import type { CheckDefinition } from "./definition.ts";
import { groupRows, type Grouping } from "./groups.ts";
import { inputOf, modelSubject } from "./loaded.ts";
import type { Measurement } from "./measure.ts";
import { predict, type Prediction, type Predictions } from "./predictions.ts";

type Rate = "selection" | "tpr" | "fpr";

const rateOf: Readonly<Record<Rate, { readonly name: string; readonly among: (row: Prediction) => boolean }>> = {
  selection: { name: "selection rate", among: () => true },
  tpr: { name: "true positive rate", among: (row) => row.actual },
  fpr: { name: "false positive rate", among: (row) => !row.actual },
};

const ratesOf: Readonly<Record<FairnessCheck["check"], readonly Rate[]>> = {
  "fair.opportunity": ["tpr"],
  "fair.parity": ["selection"],
  "fair.odds": ["tpr", "fpr"],
};

/**
 * `fair.opportunity`, `fair.parity`, `fair.odds`: the largest difference between declared groups in the true positive
 * rate, the selection rate, or both error rates. Definitions: Hardt, Price & Srebro 2016; Dwork et al. 2012.
 * Groups without denominator keep their zero count, so that nothing is ever read as a difference of 0.
 */
export function measureFairness(predictions: Predictions, grouping: Grouping, check: FairnessCheck): Measurement {
  const rows = predictions.assessed.filter(({ row }) => grouping.of[row] !== undefined);
  const families = ratesOf[check.check].map((rate) => ({
    rate,
    groups: grouping.names.map((name) => {
      const trials = rows.filter((prediction) => grouping.of[prediction.row] === name && rateOf[rate].among(prediction));
      return { name, events: trials.filter(({ predicted }) => predicted).length, n: trials.length };
    }),
  }));
  const constant = rows.length > 0 && new Set(rows.map(({ predicted }) => predicted)).size === 1;
  const { attempted } = predictions;
  return {
    basis: { kind: "differences", families, degenerate: constant ? "constant_predictions" : null },
    counts: { attempted, assessed: rows.length, unassessed: attempted - rows.length },
    unit: `largest difference in ${ratesOf[check.check].map((rate) => rateOf[rate].name).join(" and ")} between groups`,
    limit: { op: "<=", value: check.max },
    notes: [...emptyGroups(families), ...worstPair(families)],
    queries: attempted,
  };
}

type Families = readonly { readonly rate: Rate; readonly groups: { name: string; events: number; n: number }[] }[];

function emptyGroups(families: Families): readonly string[] {
  return families.flatMap(({ rate, groups }) =>
    groups.filter(({ n }) => n === 0).map(({ name }) => `the group \`${name}\` has no rows for the ${rateOf[rate].name}`),
  );
}

/** The bounds are for reading; their level does not matter here. */
function worstPair(families: Families): readonly string[] {
  const defined = families.map(({ rate, groups }) => ({ rate, groups: groups.filter(({ n }) => n > 0) }));
  const [worst] = [...comparePairs(defined, 0.05)].sort((a, b) => b.estimate - a.estimate);
  if (worst === undefined) return [];
  const side = ({ name, events, n }: { name: string; events: number; n: number }) => `\`${name}\` ${events} of ${n}`;
  return [`widest in the ${rateOf[worst.rate].name}: ${side(worst.first)}, ${side(worst.second)}`];
}

/** One of the comparisons of groups. */
function fairnessOf(check: FairnessCheck["check"]): CheckDefinition<FairnessCheck> {
  return {
    check,
    version: "1",
    exact: true,
    op: "<=",
    bases: ["differences"],
    limitValue: ({ max }) => max,
    components: ({ model, dataset, group: { transform } }) => [model, dataset, ...(transform.kind === "median-split" ? [transform.of] : [])],
    mismatch: (basis) => (ratesIn(basis) === ratesOf[check].join() ? undefined : `\`${check}\` compares other rates`),
    measure: async (declared, components) => {
      const test = await components.table(declared.dataset);
      const model = await components.model(declared.model);
      const { transform } = declared.group;
      const reference = transform.kind === "median-split" ? await components.table(transform.of) : undefined;
      const grouping = groupRows(declared.group, test.content, reference?.content);
      const inputs = [inputOf("test", test), ...(reference === undefined ? [] : [inputOf("reference", reference)])];
      return { measurement: measureFairness(predict(model.content, test.content, declared), grouping, declared), subject: modelSubject(model), inputs, group: declared.group.name };
    },
  };
}

function ratesIn(basis: CheckBasis): string {
  return basis.kind === "differences" ? basis.families.map(({ rate }) => rate).join() : "";
}

export const fairnessChecks = [fairnessOf("fair.opportunity"), fairnessOf("fair.parity"), fairnessOf("fair.odds")] as const;
