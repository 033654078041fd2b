import { alphaMax, type CheckResult, type DataCheck } from "@licet/contract";
import { z } from "zod";
import { decideAnonymity, decideCloseness, decideDiversity, measureAnonymity } from "../data/anonymity.ts";
import { type CoverageNeed, decideCoverage, measureCoverage } from "../data/coverage.ts";
import { decideDuplicates, measureDuplicates } from "../data/duplicates.ts";
import { decideOverlap, measureOverlap } from "../data/overlap.ts";
import { differenceFactor, trialsNeeded } from "../stats/sample-size.ts";
import type { Loaded } from "../suite/component.ts";
import type { Table } from "../table/table.ts";
import type { Limit, Outcome } from "../verdict/outcome.ts";
import { inputOf, tableSubject } from "./loaded.ts";
import { statisticsCheck } from "./statistics.ts";

type Of<Id extends DataCheck["check"]> = Extract<DataCheck, { check: Id }>;
type Figures<S> = Omit<S, "kind" | "notes">;

const countMax = 1_000_000_000;
const count = z.int().nonnegative().max(countMax);

function measuredOn(test: Loaded<Table>, reference?: Loaded<Table>): { readonly subject: CheckResult["subject"]; readonly inputs: CheckResult["inputs"]; readonly counts: CheckResult["counts"] } {
  const { rows } = test.content;
  const inputs = [inputOf("test", test), ...(reference === undefined ? [] : [inputOf("train", reference)])];
  return { subject: tableSubject(test), inputs, counts: { attempted: rows, assessed: rows, unassessed: 0 } };
}

const duplicates = statisticsCheck<Of<"data.duplicates">, Figures<ReturnType<typeof measureDuplicates>>>({
  check: "data.duplicates",
  version: "1",
  op: "<=",
  exact: true,
  unit: "share of rows that repeat another",
  figures: z.object({ rows: count, duplicateRows: count, nearRows: count.nullable(), key: z.object({ repeated: count, missing: count }).nullable() }),
  limitValue: ({ max }) => max,
  components: ({ dataset }) => [dataset],
  measure: async ({ dataset, columns, key, near }, files) => {
    const table = await files.table(dataset);
    const { kind: _, notes, ...figures } = measureDuplicates(table.content, { ...(columns && { columns }), ...(key && { key }), ...(near && { near }) });
    return { ...measuredOn(table), figures, notes };
  },
  decide: decideDuplicates,
});

const overlap = statisticsCheck<Of<"data.leakage.overlap">, Figures<ReturnType<typeof measureOverlap>>>({
  check: "data.leakage.overlap",
  version: "1",
  op: "<=",
  exact: true,
  unit: "share of test rows that stand in the training data",
  figures: z.object({
    trainRows: count, testRows: count, sharedRows: count, sharedEntities: count.nullable(), earlyRows: count.nullable(),
    leaks: z.array(z.object({ column: z.string().max(500), auc: z.number(), proven: z.boolean() })).max(4096).nullable(),
  }),
  limitValue: ({ max }) => max,
  components: ({ dataset, reference }) => [dataset, reference],
  measure: async ({ dataset, reference, columns, entity, time, target }, files) => {
    const [test, train] = [await files.table(dataset), await files.table(reference)];
    const gives = target === undefined ? {} : { target: { column: target.column, positive: String(target.positive) } };
    const { kind: _, notes, ...figures } = measureOverlap(train.content, test.content, { ...(columns && { columns }), ...(entity !== undefined && { entity }), ...(time !== undefined && { time }), ...gives });
    return { ...measuredOn(test, train), figures, notes };
  },
  decide: decideOverlap,
});

/** What a first attempt is judged at. */
const alpha = (6 * alphaMax) / Math.PI ** 2;
const differenceRowsMax = 1_000_000;
/** Of both groups, where nothing is said: a difference is hardest to show at one half. */
const rateExpected = 0.5;

/** Rows that each group needs. */
function needsOf({ id, min, enoughFor = [] }: Of<"data.coverage">): readonly CoverageNeed[] {
  const shown = enoughFor.map(({ figure, limit, expected }) => {
    const requiredN = figure === "rate" ? (trialsNeeded(expected ?? 0, limit, alpha) ?? countMax) : rowsForDifference(expected ?? rateExpected, limit);
    return { check: `a ${figure} against ${limit}`, requiredN };
  });
  return [...(min === undefined ? [] : [{ check: id, requiredN: min }]), ...shown];
}

/** Rows in each of two groups of the same rate that show a difference below the limit with 80 % power. */
function rowsForDifference(rate: number, limit: number): number {
  const one = { events: rate, n: 1 };
  const factor = differenceFactor(one, one, { limit, alpha, alphaFail: alpha });
  return factor === undefined ? differenceRowsMax : Math.ceil(factor);
}

const coverage = statisticsCheck<Of<"data.coverage">, Figures<ReturnType<typeof measureCoverage>>>({
  check: "data.coverage",
  version: "1",
  op: ">=",
  exact: true,
  unit: "rows in the smallest group",
  figures: z.object({ required: count, askedBy: z.string().max(200).nullable(), groups: z.array(z.object({ name: z.string().max(500), n: count })).max(2000) }),
  limitValue: (check) => needsOf(check).reduce((most, { requiredN }) => Math.max(most, requiredN), 1),
  components: ({ dataset }) => [dataset],
  measure: async (check, files) => {
    const { dataset, columns, expected } = check;
    const table = await files.table(dataset);
    const { kind: _, notes, ...figures } = measureCoverage(table.content, { columns, needs: needsOf(check), ...(expected && { expected }) });
    return { ...measuredOn(table), figures, notes };
  },
  decide: decideCoverage,
});

type Anonymity = Figures<ReturnType<typeof measureAnonymity>> & { readonly asked: { readonly diversity: number | null; readonly closeness: number | null } };

const anonymity = statisticsCheck<Of<"data.privacy.kanon">, Anonymity>({
  check: "data.privacy.kanon",
  version: "2",
  op: ">=",
  exact: true,
  unit: "rows in the smallest group that shares all quasi-identifiers",
  figures: z.object({
    rows: count, groups: count, k: count, rowsBelow: count,
    sensitive: z.array(z.object({ name: z.string().max(500), distinctL: count, entropyL: z.number(), t: z.number(), tDistance: z.enum(["equal", "ordered"]) })).max(4096),
    asked: z.object({ diversity: count.nullable(), closeness: z.number().nullable() }),
  }),
  limitValue: ({ min }) => min,
  components: ({ dataset }) => [dataset],
  measure: async ({ dataset, quasiIdentifiers, sensitive, min, diversity = null, closeness = null }, files) => {
    const table = await files.table(dataset);
    const { kind: _, notes, ...figures } = measureAnonymity(table.content, { quasiIdentifiers, k: min, ...(sensitive && { sensitive }) });
    return { ...measuredOn(table), figures: { ...figures, asked: { diversity, closeness } }, notes };
  },
  decide: decideAsked,
});

/** Each is a fact about the file, and all that are asked for must hold. The figure is k. */
function decideAsked({ asked: { diversity, closeness }, ...figures }: Anonymity, limit: Limit): Outcome {
  const outcome = decideAnonymity(figures, limit);
  const others = [
    ...(diversity === null ? [] : [decideDiversity(figures, { ...limit, value: diversity })]),
    ...(closeness === null ? [] : [decideCloseness(figures, { ...limit, op: "<=", value: closeness })]),
  ];
  const worst = others.find(({ verdict }) => verdict === "fail") ?? others.find(({ verdict }) => verdict !== "pass");
  if (outcome.verdict !== "pass" || worst === undefined) return outcome;
  return { ...outcome, verdict: worst.verdict, ...(worst.reason !== undefined && { reason: worst.reason }) };
}

export const dataTableChecks = [duplicates, overlap, coverage, anonymity] as const;
