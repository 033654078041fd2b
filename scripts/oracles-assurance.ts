/**
 * Compares the assurance engine with figures that independent tools computed.
 *
 *   npm run oracles:assurance -- --dir ../shared/assurance [--quick]
 *
 * One line per area; the last line is JSON. Exit code 0 when all match, 1 when something differs, 2 without figures.
 */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { compareFairness } from "./oracles/fairness.ts";
import { compareModels } from "./oracles/models.ts";
import { comparePerformance } from "./oracles/performance.ts";
import { compareQuality } from "./oracles/quality.ts";
import { compareStats } from "./oracles/stats.ts";
import { Tally, type OracleOptions } from "./oracles/tally.ts";

interface Area {
  readonly compare: (tally: Tally, options: OracleOptions) => void;
  readonly covers: string;
}

const areas: Readonly<Record<string, Area>> = {
  models: { compare: compareModels, covers: "predictions of every model" },
  stats: { compare: compareStats, covers: "Clopper-Pearson, Wilson, Newcombe, Holm, Bonferroni, zero-failure sizes, gate verdicts; not the rest" },
  fairness: { compare: compareFairness, covers: "counts, rates, differences, pair bounds, verdicts; not ratios and indices" },
  performance: { compare: comparePerformance, covers: "confusion counts, rates, AUC with Newcombe's method 5; not calibration and regression" },
  quality: { compare: compareQuality, covers: "types, ranges, domains, dates, missing; not duplicates, leakage, k-anonymity" },
};

const { values } = parseArgs({ options: { dir: { type: "string" }, quick: { type: "boolean", default: false } } });
process.exitCode = run(path.resolve(values.dir ?? "../shared/assurance"), values.quick);

function run(dir: string, quick: boolean): number {
  if (!existsSync(dir)) {
    console.error(`there are no figures in \`${dir}\`: name their folder with --dir`);
    return 2;
  }
  const found = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const counts: Record<string, { matched: number; total: number }> = {};
  const mismatches: unknown[] = [];
  for (const name of found.toSorted()) {
    const area = areas[name];
    if (area === undefined) {
      console.log(`${name.padEnd(24)} not covered`);
      continue;
    }
    const tally = new Tally(name);
    area.compare(tally, { dir, quick });
    counts[name] = { matched: tally.matched, total: tally.total };
    mismatches.push(...tally.mismatches);
    console.log(`${name.padEnd(24)} ${tally.matched}/${tally.total}  (${area.covers})`);
  }
  console.log(JSON.stringify({ oracle: "assurance", areas: counts, mismatches }));
  const compared = Object.values(counts).some(({ total }) => total > 0);
  return compared && mismatches.length === 0 ? 0 : 1;
}
