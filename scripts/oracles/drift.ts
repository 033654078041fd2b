import { isMissing, castNumber } from "../../packages/assurance/src/table/cast.ts";
import { encodeDictionary } from "../../packages/assurance/src/table/dictionary.ts";
import { categoricalFigures } from "./drift-categorical.ts";
import { compareMultivariate } from "./drift-multivariate.ts";
import { numericFigures, numericUndefined } from "./drift-numeric.ts";
import { compareFigures, type DriftCase } from "./drift-figures.ts";
import { csv, json, type OracleOptions, type Tally } from "./tally.ts";

interface Expected {
  readonly cases: Readonly<Record<string, DriftCase>>;
}

/** Every figure of every case, whatever cases and figures the files hold. */
export function compareDrift(tally: Tally, options: OracleOptions): void {
  const { cases } = json(options, "drift/expected.json") as Expected;
  for (const [name, figures] of Object.entries(cases)) {
    try {
      compareCase(tally, options, { name, figures });
    } catch (error) {
      tally.same(`${name} runs`, error instanceof Error ? error.message : String(error), "no failure");
    }
  }
  compareMultivariate(tally, options);
}

function compareCase(tally: Tally, options: OracleOptions, { name, figures }: { name: string; figures: DriftCase }): void {
  const [reference, current] = (["reference", "current"] as const).map((side) => {
    const table = csv(options, `drift/${name}.${side}.csv`);
    return table.cells(table.columns[0] ?? "");
  }) as [readonly string[], readonly string[]];
  const counted = { n_ref: reference.length, n_cur: current.length, missing_ref: reference.filter(isMissing).length, missing_cur: current.filter(isMissing).length };
  if (figures["kind"] === "categorical") {
    compareFigures(tally, { name, figures, computed: { ...counted, ...categoricalFigures(encodeDictionary(reference), encodeDictionary(current)) } });
    return;
  }
  const numbers = (cells: readonly string[]) => Float64Array.from(cells, (cell) => castNumber(cell) ?? Number.NaN);
  const computed = figures["undefined"] === true ? numericUndefined(numbers(reference), numbers(current)) : numericFigures(numbers(reference), numbers(current), counted);
  compareFigures(tally, { name, figures, computed: { ...counted, ...computed } });
}
