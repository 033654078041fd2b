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
import { compareAdapters } from "./oracles/adapters.ts";
import { compareArtifacts } from "./oracles/artifacts.ts";
import { compareDrift } from "./oracles/drift.ts";
import { compareExplain } from "./oracles/explain.ts";
import { compareFairness } from "./oracles/fairness.ts";
import { compareLabels } from "./oracles/labels.ts";
import { compareLlm } from "./oracles/llm.ts";
import { compareModels } from "./oracles/models.ts";
import { comparePerformance } from "./oracles/performance.ts";
import { comparePoisoning } from "./oracles/poisoning.ts";
import { comparePrivacy } from "./oracles/privacy.ts";
import { compareQuality } from "./oracles/quality.ts";
import { compareRobustness } from "./oracles/robustness.ts";
import { compareStats } from "./oracles/stats.ts";
import { Tally, type OracleOptions } from "./oracles/tally.ts";

interface Area {
  readonly compare: (tally: Tally, options: OracleOptions) => void | Promise<void>;
  readonly covers: string;
}

/** Folders of samples come under several names that begin so. */
const artifacts: Area = { compare: compareArtifacts, covers: "every sample: verdict, imported names, digest, format" };

const areas: Readonly<Record<string, Area>> = {
  adapters: { compare: compareAdapters, covers: "reports of other tools, counted again from their rows" },
  llm: { compare: compareLlm, covers: "every labelled transcript, every planted model of the mock server, whole and streamed" },
  poisoning: { compare: comparePoisoning, covers: "spectral signatures, clusters, neighbours, patch scan" },
  labels: { compare: compareLabels, covers: "joint, thresholds, issue rows and scores of confident learning" },
  drift: { compare: compareDrift, covers: "every figure, those of other tools by their formulas" },
  models: { compare: compareModels, covers: "predictions, weights and trees of every model" },
  robustness: { compare: compareRobustness, covers: "exact distances, certificates, expected noise, the attack's ratio, calls and rates" },
  explain: { compare: compareExplain, covers: "Shapley values, permutation importance, partial dependence" },
  stats: { compare: compareStats, covers: "every interval, adjustment, test, given bootstrap and sequential verdict" },
  fairness: { compare: compareFairness, covers: "every count, rate, difference, ratio, index, test, pair bound and verdict" },
  privacy: { compare: comparePrivacy, covers: "membership attacks, reference attacks on given signals, epsilon bounds, one-run audits" },
  performance: { compare: comparePerformance, covers: "every metric, AUC interval and calibration figure, on the reference's own predictions" },
  quality: { compare: compareQuality, covers: "every planted defect: types, ranges, domains, forms, missing, duplicates, leakage, k-anonymity" },
};

const { values } = parseArgs({ options: { dir: { type: "string" }, quick: { type: "boolean", default: false } } });
process.exitCode = await run(path.resolve(values.dir ?? "../shared/assurance"), values.quick);

async function run(dir: string, quick: boolean): Promise<number> {
  if (!existsSync(dir)) {
    console.error(`there are no figures in \`${dir}\`: name their folder with --dir`);
    return 2;
  }
  const found = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const counts: Record<string, { matched: number; total: number }> = {};
  const mismatches: unknown[] = [];
  for (const name of found.toSorted()) {
    const area = areas[name] ?? (name.startsWith("artifacts") ? artifacts : undefined);
    if (area === undefined) {
      console.log(`${name.padEnd(24)} not covered`);
      continue;
    }
    const tally = new Tally(name);
    await area.compare(tally, { dir, quick });
    counts[name] = { matched: tally.matched, total: tally.total };
    mismatches.push(...tally.mismatches);
    console.log(`${name.padEnd(24)} ${tally.matched}/${tally.total}  (${area.covers})`);
  }
  console.log(JSON.stringify({ oracle: "assurance", areas: counts, mismatches }));
  const compared = Object.values(counts).some(({ total }) => total > 0);
  return compared && mismatches.length === 0 ? 0 : 1;
}
