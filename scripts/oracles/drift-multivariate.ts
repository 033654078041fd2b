import { existsSync } from "node:fs";
import path from "node:path";
import { domainClassifierPairs } from "../../packages/assurance/src/drift/domain-classifier.ts";
import { energyStatistic, medianKernel, pairDistances, sumPairs, unbiasedMmd2 } from "../../packages/assurance/src/drift/pair-distances.ts";
import { fromColumns, scaled, scalingOf, stack } from "../../packages/assurance/src/linear/matrix.ts";
import { auc } from "../../packages/assurance/src/stats/auc.ts";
import { randomFrom } from "../../packages/assurance/src/stats/random.ts";
import { numericColumn } from "../../packages/assurance/src/table/cast.ts";
import { csv, json, type OracleOptions, type Tally } from "./tally.ts";

type Figures = Readonly<Record<string, number | string>>;

/** Words about how the figures were made, not figures. */
const remarks = new Set(["standardised_by", "domain_classifier_tolerance"]);

export function compareMultivariate(tally: Tally, options: OracleOptions): void {
  if (!existsSync(path.join(options.dir, "drift/expected_multivariate.json"))) return;
  const cases = json(options, "drift/expected_multivariate.json") as Readonly<Record<string, Figures>>;
  for (const [name, figures] of Object.entries(cases)) {
    try {
      compareCase(tally, options, { name, figures });
    } catch (error) {
      tally.same(`${name} runs`, error instanceof Error ? error.message : String(error), "no failure");
    }
  }
}

function compareCase(tally: Tally, options: OracleOptions, { name, figures }: { name: string; figures: Figures }): void {
  const sideOf = (side: string) => {
    const table = csv(options, `drift/${name}.${side}.csv`);
    return fromColumns(table.columns.map((column) => numericColumn(table, column)));
  };
  const [reference, current] = [sideOf("reference"), sideOf("current")];
  const scaling = scalingOf(reference);
  const sides = { reference: scaled(reference, scaling), current: scaled(current, scaling) };
  const [n, m] = [reference.rows, current.rows];
  const distances = pairDistances(stack(sides.reference, sides.current));
  const { kernel, median } = medianKernel(distances);
  const labels = new Uint8Array(n + m).fill(1, n);
  for (const [key, expected] of Object.entries(figures)) {
    if (remarks.has(key)) continue;
    if (key === "energy_statistic_v") tally.near(`${name} ${key}`, energyStatistic(sumPairs(distances, labels), n, m), expected);
    else if (key === "median_pairwise_distance") tally.near(`${name} ${key}`, median, expected);
    else if (key === "mmd2_unbiased_rbf_median") tally.near(`${name} ${key}`, unbiasedMmd2(sumPairs(kernel, labels), n, m), expected);
    else if (key === "domain_classifier_logistic_auc_5fold") {
      const found = auc(domainClassifierPairs(sides, { features: "linear", random: randomFrom("oracle") }));
      tally.same(`${name} ${key} within 0.05`, Math.abs(found - Number(expected)) <= 0.05, true);
    } else tally.same(`${name} ${key}`, "not computed", expected);
  }
}
