import { LicetError, type RobustnessCheck } from "@licet/contract";
import { z } from "zod";
import { decideRelations, measureRelations, type Relation, type RelationStatistics } from "../robust/metamorphic.ts";
import { type Corruption, gaussianNoise, measureCorruptions, missingCells, swappedFeatures, wrongUnit } from "../robust/noise.ts";
import { decideScenarios, type ScenarioStatistics } from "../robust/paired.ts";
import { answeredLater } from "../subject/probe.ts";
import { countsOf } from "../verdict/settle.ts";
import { count, name, namedRate } from "./model-figures.ts";
import { positiveIndex } from "./predictions.ts";
import { components, counted, type Drawn, drawnFor, labelsOf, meanOf } from "./robustness.ts";
import { statisticsCheck } from "./statistics.ts";

type CorruptionCheck = Extract<RobustnessCheck, { check: "robust.corruption" }>;
type Figures = (ScenarioStatistics & { readonly kind: "damages" }) | (RelationStatistics & { readonly kind: "relations" });

/** Limits of the catalogue: of accuracy that is lost, and of rows that break a relation. */
const limits = { damages: 0.02, relations: 0.01 } as const;

export const corruption = statisticsCheck<CorruptionCheck, Figures>({
  check: "robust.corruption",
  version: "1",
  op: "<=",
  unit: ({ relations }) => (relations === undefined ? "loss of accuracy under the worst damage" : "share of rows that break the worst relation"),
  figures: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("damages"), ...counted, scenarios: z.array(z.object({ name, n: count, lost: count, gained: count })).max(100) }),
    z.object({ kind: z.literal("relations"), ...counted, relations: z.array(namedRate).max(50) }),
  ]),
  limitValue: ({ max, relations }) => max ?? (relations === undefined ? limits.damages : limits.relations),
  components,
  measure: async (check, files, { seed }) => {
    const drawn = await drawnFor(check, files, seed);
    const { figures, notes } = await (check.relations === undefined ? damaged(check, drawn, seed) : related(check, drawn));
    return { ...drawn.found(), figures, counts: countsOf(figures), notes };
  },
  decide: (figures, limit) => (figures.kind === "damages" ? decideScenarios(figures, limit) : decideRelations(figures, limit)),
});

type Measured = Promise<{ readonly figures: Figures; readonly notes: readonly string[] }>;

async function damaged(check: CorruptionCheck, drawn: Drawn, seed: string): Measured {
  const { rows, targets, score } = drawn;
  const { statistics, notes } = await answeredLater(measureCorruptions(rows, targets, { seed, corruptions: corruptionsOf(check, drawn), ...(check.threshold !== undefined && { threshold: check.threshold }) }), score);
  return { figures: { kind: "damages", ...statistics }, notes };
}

function corruptionsOf({ damages }: CorruptionCheck, { rows, scale }: Drawn): readonly Corruption[] {
  const { missing, fill, factors = [], swap, sigma } = damages ?? { fill: "mean", swap: false };
  const filled = Float64Array.from(scale, (_, feature) => (fill === "mean" ? meanOf(rows, feature) : Number.NaN));
  return [
    ...(missing === undefined ? [] : [missingCells(missing, filled)]),
    ...factors.map((factor) => wrongUnit(factor, rows.columns)),
    ...(swap ? [swappedFeatures(rows.columns)] : []),
    ...(sigma === undefined ? [] : [gaussianNoise(sigma, scale)]),
  ];
}

async function related(check: CorruptionCheck, { model, rows, names, score }: Drawn): Measured {
  const output = positiveIndex(await labelsOf(model, rows), check);
  const relations = (check.relations ?? []).map((relation) => relationOf(relation, names));
  const { statistics, notes } = await answeredLater(measureRelations(rows, relations, output), score);
  return { figures: { kind: "relations", ...statistics }, notes };
}

type Declared = NonNullable<CorruptionCheck["relations"]>[number];
type Change = Declared["change"][string];

const sentences: Readonly<Record<Declared["score"], string>> = { same: "stays", "not-lower": "does not fall", "not-higher": "does not rise" };
const nameCharactersMax = 500;

function relationOf({ change, score, tolerance }: Declared, names: readonly string[]): Relation {
  const moves = Object.entries(change).map(([column, how]) => {
    const feature = names.indexOf(column);
    if (feature < 0) throw new LicetError("table_column_missing", { message: `the model takes no feature \`${column}\`: correct the name under \`relations\``, at: { column } });
    return { feature, how };
  });
  const said = Object.entries(change).map(([column, how]) => `${column} ${changeWords(how)}`).join(", ");
  return {
    name: `${said}: the score ${sentences[score]}`.slice(0, nameCharactersMax),
    change: (row) => {
      const changed = Float32Array.from(row);
      for (const { feature, how } of moves) changed[feature] = changedValue(row[feature] ?? Number.NaN, how);
      return changed;
    },
    expect: score,
    tolerance,
  };
}

function changeWords(how: Change): string {
  if ("add" in how) return how.add < 0 ? `- ${-how.add}` : `+ ${how.add}`;
  return "times" in how ? `times ${how.times}` : `= ${how.set}`;
}

function changedValue(value: number, how: Change): number {
  if ("add" in how) return value + how.add;
  return "times" in how ? value * how.times : how.set;
}
