import type { CheckResult, DataCheck } from "@licet/contract";
import { z } from "zod";
import { decideAnonymity, measureAnonymity } from "../data/anonymity.ts";
import { decideCoverage, measureCoverage } from "../data/coverage.ts";
import { decideDuplicates, measureDuplicates } from "../data/duplicates.ts";
import { decideOverlap, measureOverlap } from "../data/overlap.ts";
import type { Loaded } from "../suite/component.ts";
import type { Table } from "../table/table.ts";
import { inputOf, tableSubject } from "./loaded.ts";
import { statisticsCheck } from "./statistics.ts";

type Of<Id extends DataCheck["check"]> = Extract<DataCheck, { check: Id }>;
type Figures<S> = Omit<S, "kind" | "notes">;

const count = z.int().nonnegative().max(1_000_000_000);

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

const coverage = statisticsCheck<Of<"data.coverage">, Figures<ReturnType<typeof measureCoverage>>>({
  check: "data.coverage",
  version: "1",
  op: ">=",
  exact: true,
  unit: "rows in the smallest group",
  figures: z.object({ required: count, askedBy: z.string().max(200).nullable(), groups: z.array(z.object({ name: z.string().max(500), n: count })).max(2000) }),
  limitValue: ({ min }) => min,
  components: ({ dataset }) => [dataset],
  measure: async ({ dataset, columns, expected, min, id }, files) => {
    const table = await files.table(dataset);
    const { kind: _, notes, ...figures } = measureCoverage(table.content, { columns, needs: [{ check: id, requiredN: min }], ...(expected && { expected }) });
    return { ...measuredOn(table), figures: { ...figures, askedBy: null }, notes };
  },
  decide: decideCoverage,
});

const anonymity = statisticsCheck<Of<"data.privacy.kanon">, Figures<ReturnType<typeof measureAnonymity>>>({
  check: "data.privacy.kanon",
  version: "1",
  op: ">=",
  exact: true,
  unit: "rows in the smallest group that shares all quasi-identifiers",
  figures: z.object({
    rows: count, groups: count, k: count, rowsBelow: count,
    sensitive: z.array(z.object({ name: z.string().max(500), distinctL: count, entropyL: z.number(), t: z.number(), tDistance: z.enum(["equal", "ordered"]) })).max(4096),
  }),
  limitValue: ({ min }) => min,
  components: ({ dataset }) => [dataset],
  measure: async ({ dataset, quasiIdentifiers, sensitive, min }, files) => {
    const table = await files.table(dataset);
    const { kind: _, notes, ...figures } = measureAnonymity(table.content, { quasiIdentifiers, k: min, ...(sensitive && { sensitive }) });
    return { ...measuredOn(table), figures, notes };
  },
  decide: decideAnonymity,
});

export const dataTableChecks = [duplicates, overlap, coverage, anonymity] as const;
