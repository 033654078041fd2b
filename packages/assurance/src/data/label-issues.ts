import { confidentJoint, type LabelledProbabilities, mostProbable } from "./confident-joint.ts";

/**
 * Which rows to look at: by the size of the joint per label and class (`prune_by_noise_rate`), per label
 * (`prune_by_class`), by both, off the diagonal of the joint, or simply predicted otherwise.
 */
export type IssueRule = "prune_by_noise_rate" | "prune_by_class" | "both" | "confident_learning" | "predicted_neq_given";

/** A row equal to this counts as predicted as given. */
const slack = 1e-6;
/** No class is emptied. */
const keptPerClassMin = 1;

/** Rows (from 0, rising) whose label is suspect. Source: Northcutt, Jiang & Chuang 2021, section 3.2. */
export function findLabelIssues(data: LabelledProbabilities, rule: IssueRule): readonly number[] {
  const found = candidates(data, rule);
  const { labels, probabilities } = data;
  const classes = probabilities.columns;
  return [...found].toSorted((a, b) => a - b).filter((row) => {
    const values = probabilities.values.slice(row * classes, (row + 1) * classes);
    const label = labels[row] ?? 0;
    values[label] = (values[label] ?? 0) + slack;
    return mostProbable(values) !== label;
  });
}

function candidates(data: LabelledProbabilities, rule: IssueRule): ReadonlySet<number> {
  if (rule === "predicted_neq_given") return new Set(data.labels.keys());
  const joint = confidentJoint(data);
  if (rule === "confident_learning") return new Set(joint.offDiagonal);
  const counts = keepSome(joint.calibrated);
  const byClass = () => pruneByClass(data, counts);
  const byRate = () => pruneByRate(data, counts);
  if (rule === "prune_by_class") return byClass();
  if (rule === "prune_by_noise_rate") return byRate();
  const rates = byRate();
  return new Set([...byClass()].filter((row) => rates.has(row)));
}

/** Raises a diagonal below one row, at the cost of the other classes of that label. */
function keepSome(joint: readonly (readonly number[])[]): readonly (readonly number[])[] {
  return joint.map((line, label) => {
    const own = line[label] ?? 0;
    const diagonal = Math.max(own, keptPerClassMin);
    const others = Math.max(1, line.filter((count) => count !== 0).length - 1);
    return line.map((count, index) => (index === label ? diagonal : Math.trunc(Math.max(0, count - (diagonal - own) / others))));
  });
}

function rowsByLabel({ labels, probabilities }: LabelledProbabilities): readonly (readonly number[])[] {
  const rows: number[][] = Array.from({ length: probabilities.columns }, () => []);
  for (const [row, label] of labels.entries()) rows[label]?.push(row);
  return rows;
}

/** Per label, the rows least probable to be of it. */
function pruneByClass(data: LabelledProbabilities, counts: readonly (readonly number[])[]): ReadonlySet<number> {
  const { columns, values } = data.probabilities;
  const chosen = rowsByLabel(data).flatMap((rows, label) => {
    if (rows.length <= keptPerClassMin) return [];
    const most = Math.max(0, rows.length - (counts[label]?.[label] ?? 0));
    return rows.toSorted((a, b) => (values[a * columns + label] ?? 0) - (values[b * columns + label] ?? 0)).slice(0, most);
  });
  return new Set(chosen);
}

/** Per label and other class, the rows whose other class leads by most. */
function pruneByRate(data: LabelledProbabilities, counts: readonly (readonly number[])[]): ReadonlySet<number> {
  const { columns, values } = data.probabilities;
  const chosen = new Set<number>();
  for (const [label, rows] of rowsByLabel(data).entries()) {
    if (rows.length <= keptPerClassMin) continue;
    for (let other = 0; other < columns; other += 1) {
      const most = other === label ? 0 : (counts[label]?.[other] ?? 0);
      if (most <= 0) continue;
      const lead = (row: number) => (values[row * columns + other] ?? 0) - (values[row * columns + label] ?? 0);
      for (const row of rows.toSorted((a, b) => lead(b) - lead(a)).slice(0, most)) chosen.add(row);
    }
  }
  return chosen;
}
