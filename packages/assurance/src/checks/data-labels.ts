import { LicetError, type DataCheck } from "@licet/contract";
import { z } from "zod";
import { type AdjudicatedStratum, decideLabelNoise } from "../data/label-noise.ts";
import { isMissing } from "../table/cast.ts";
import type { Table } from "../table/table.ts";
import { settle } from "../verdict/settle.ts";
import { inputOf, tableSubject } from "./loaded.ts";
import { count } from "./model-figures.ts";
import { statisticsCheck } from "./statistics.ts";

type LabelNoise = Extract<DataCheck, { check: "data.labels.noise" }>;

interface Stratum extends AdjudicatedStratum {
  readonly name: string;
}

interface Judged {
  /** Rows of the sample, and those that somebody judged. */
  readonly attempted: number;
  readonly assessed: number;
  readonly strata: readonly Stratum[];
}

const strataMax = 100;
const answers: ReadonlyMap<string, boolean> = new Map([["1", true], ["true", true], ["yes", true], ["0", false], ["false", false], ["no", false]]);

/** A row that nobody judged has an empty cell under `wrong`. */
function countJudged(sample: Table, sizes: ReadonlyMap<string, number>): Judged {
  const found = new Map([...sizes].map(([name, size]) => [name, { name, size, judged: 0, wrong: 0 }]));
  const wrong = sample.cells("wrong");
  let assessed = 0;
  for (const [row, name] of sample.cells("stratum").entries()) {
    const stratum = found.get(name);
    if (stratum === undefined) throw invalid(row, `is of the stratum \`${name.slice(0, 200)}\`, which is not declared: give its rows under \`strata\``);
    const cell = wrong[row] ?? "";
    if (isMissing(cell)) continue;
    const answer = answers.get(cell.toLowerCase());
    if (answer === undefined) throw invalid(row, `holds \`${cell.slice(0, 200)}\` under \`wrong\`: write 1 or 0, or nothing where nobody judged it`);
    stratum.judged += 1;
    stratum.wrong += answer ? 1 : 0;
    assessed += 1;
  }
  return { attempted: sample.rows, assessed, strata: [...found.values()] };
}

function invalid(row: number, what: string): LicetError {
  return new LicetError("table_value_invalid", { message: `row ${row + 1} of the sample ${what}`, at: { row: row + 1 } });
}

/** Sizes that do not add up to the data set would weight the strata wrongly. */
function sizesOf({ strata, dataset }: LabelNoise, rows: number, sample: Table): ReadonlyMap<string, number> {
  if (strata === undefined) return new Map([[sample.cells("stratum")[0] ?? "all", rows]]);
  const sizes = new Map(Object.entries(strata));
  const sum = [...sizes.values()].reduce((all, size) => all + size, 0);
  if (sum === rows) return sizes;
  throw new LicetError("table_value_invalid", { message: `the strata hold ${sum} rows and \`${dataset}\` has ${rows}: correct their sizes under \`strata\``, at: { component: dataset } });
}

const labelNoise = statisticsCheck<LabelNoise, Judged>({
  check: "data.labels.noise",
  version: "1",
  op: "<=",
  exact: true,
  unit: "share of wrong labels",
  figures: z.object({ attempted: count, assessed: count, strata: z.array(z.object({ name: z.string().max(200), size: count, judged: count, wrong: count })).max(strataMax) }),
  limitValue: ({ max }) => max,
  components: ({ dataset, sample }) => [dataset, sample],
  measure: async (check, files) => {
    const [labelled, sample] = [await files.table(check.dataset), await files.table(check.sample)];
    const figures = countJudged(sample.content, sizesOf(check, labelled.content.rows, sample.content));
    const { attempted, assessed } = figures;
    return {
      subject: tableSubject(labelled),
      inputs: [inputOf("test", labelled), inputOf("judge_labels", sample)],
      counts: { attempted, assessed, unassessed: attempted - assessed },
      figures,
      notes: figures.strata.map(({ name, size, judged, wrong }) => `stratum \`${name}\`: ${wrong} of ${judged} judged labels are wrong, of ${size} rows`),
    };
  },
  decide: (figures, limit) => settle(decideLabelNoise(figures, limit), figures),
});

export const dataLabelChecks = [labelNoise] as const;
