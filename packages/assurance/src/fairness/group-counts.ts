import { requireEqual } from "../performance/scored.ts";
import type { Grouping } from "./grouping.ts";

/** What a two-class decision did to one group. */
export interface GroupCounts {
  readonly name: string;
  readonly n: number;
  /** Truly positive. */
  readonly positives: number;
  /** Predicted positive. */
  readonly selected: number;
  readonly tp: number;
}

/** Columns of 0 and 1, and the group of each row. */
export interface Decided {
  readonly positive: Uint8Array;
  readonly predicted: Uint8Array;
  readonly grouping: Grouping;
}

/** Counts every group in one pass. Rows without a group are left out; a group without a row keeps its zero counts. */
export function countGroups({ positive, predicted, grouping }: Decided): readonly GroupCounts[] {
  const { codes, names } = grouping;
  requireEqual({ positive, predicted, group: codes });
  // One place more, so that rows without a group (-1) need no branch.
  const cells = new Float64Array(4 * (names.length + 1));
  for (let row = 0; row < codes.length; row += 1) {
    const cell = 4 * ((codes[row] ?? -1) + 1) + 2 * (positive[row] ?? 0) + (predicted[row] ?? 0);
    cells[cell] = (cells[cell] ?? 0) + 1;
  }
  return names.map((name, index) => {
    const [tn = 0, fp = 0, fn = 0, tp = 0] = cells.subarray(4 * (index + 1), 4 * (index + 2));
    return { name, n: tn + fp + fn + tp, positives: fn + tp, selected: fp + tp, tp };
  });
}

export type GroupRate = "selection" | "tpr" | "fpr" | "accuracy" | "precision";

export interface RateCount {
  readonly name: string;
  readonly events: number;
  readonly n: number;
}

const rateOf: Readonly<Record<GroupRate, (group: GroupCounts) => { readonly events: number; readonly n: number }>> = {
  selection: ({ selected, n }) => ({ events: selected, n }),
  tpr: ({ tp, positives }) => ({ events: tp, n: positives }),
  fpr: ({ selected, tp, n, positives }) => ({ events: selected - tp, n: n - positives }),
  accuracy: (group) => ({ events: group.tp + (group.n - group.positives - (group.selected - group.tp)), n: group.n }),
  precision: ({ tp, selected }) => ({ events: tp, n: selected }),
};

export function rateCounts(groups: readonly GroupCounts[], rate: GroupRate): readonly RateCount[] {
  return groups.map((group) => ({ name: group.name, ...rateOf[rate](group) }));
}

/** A rate of each group; NaN where it has no denominator. */
export function rates(groups: readonly GroupCounts[], rate: GroupRate): readonly number[] {
  return rateCounts(groups, rate).map(({ events, n }) => events / n);
}
