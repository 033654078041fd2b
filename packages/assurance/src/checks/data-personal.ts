import { LicetError, type DataCheck } from "@licet/contract";
import { z } from "zod";
import { decidePersonalData, measurePersonalData, type PersonalDataStatistics } from "../data/personal-data.ts";
import type { Table } from "../table/table.ts";
import { inputOf, tableSubject } from "./loaded.ts";
import { count, name } from "./model-figures.ts";
import { statisticsCheck } from "./statistics.ts";

type PersonalData = Extract<DataCheck, { check: "data.pii" }>;

/** A name that is misspelt would allow nothing, and nobody would see why. */
function requireColumns({ allowed = {}, columns = [] }: PersonalData, table: Table): void {
  for (const column of [...columns, ...Object.keys(allowed)]) table.cells(column);
}

const figure = z.number().min(0).max(1);

const personalData = statisticsCheck<PersonalData, Omit<PersonalDataStatistics, "kind" | "notes">>({
  check: "data.pii",
  version: "1",
  op: "<=",
  exact: true,
  fresh: true,
  unit: "share of cells with personal data that nobody declared",
  figures: z
    .object({ rows: count, cells: count, undeclaredCells: count, findings: z.array(z.object({ column: name, kind: name, cells: count, n: count, declared: z.boolean(), lower: figure, upper: figure })).max(500) })
    .refine(({ cells, undeclaredCells }) => undeclaredCells <= cells, { error: "more cells are found than were looked at" }),
  limitValue: ({ max }) => max,
  components: ({ dataset }) => [dataset],
  measure: async (check, files, { personalData: detect }) => {
    if (detect === undefined) throw new LicetError("detectors_absent", { message: "nobody gave the detectors of personal data: run it with `licet check`" });
    const table = await files.table(check.dataset);
    requireColumns(check, table.content);
    const { kind: _, notes, ...figures } = measurePersonalData(table.content, { detect, ...(check.allowed && { declared: check.allowed }), ...(check.columns && { columns: check.columns }) });
    const { rows } = table.content;
    return { subject: tableSubject(table), inputs: [inputOf("test", table)], counts: { attempted: rows, assessed: rows, unassessed: 0 }, figures, notes };
  },
  decide: decidePersonalData,
});

export const personalDataChecks = [personalData] as const;
