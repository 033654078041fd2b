import { castInteger, columnKinds, isMissing, type Table } from "@licet/assurance";
import type { Dataset } from "@licet/contract";
import type { ProposedCheck, ReadData } from "./proposal.ts";
import { rowSizes } from "./sizes.ts";

const columnsMax = 200;
const groupsMax = 10;
/** Names under which people are told apart. A guess for a person to confirm, never a finding. */
const personalColumn = /^(?:sex|gender|age|age_group|race|ethnicity|nationality|religion|disability|marital_status)$/iu;

/** Columns by which people may be told apart, each with a few values. */
export function groupColumns(table: Table): readonly string[] {
  return table.columns.filter((column) => {
    const { length } = valuesIn(table, column);
    return personalColumn.test(column) && length > 1 && length <= groupsMax;
  });
}

/** What stands in a column, sorted. */
export function valuesIn(table: Table, column: string): readonly string[] {
  return [...new Set(table.cells(column).filter((cell) => !isMissing(cell)))].toSorted();
}

export function slug(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9]+/gu, "-");
}

/** What is asked of a table by itself. */
export function tableChecks({ name: dataset, table }: ReadData, declared: Dataset | undefined): readonly ProposedCheck[] {
  const columns = Object.fromEntries(table.columns.slice(0, columnsMax).map((column) => [column, ruleOf(table, column)]));
  const groups = groupColumns(table);
  return [
    ...(table.columns.length === 0 ? [] : [{ check: { id: `${dataset}-schema`, check: "data.schema", dataset, columns }, remarks: ["types as the file has them today: narrow them with min, max and enum"] }]),
    { check: { id: `${dataset}-missing`, check: "data.missing", dataset, max: 0.05 }, remarks: [rowSizes(0.05, table.rows)] },
    { check: { id: `${dataset}-duplicates`, check: "data.duplicates", dataset, max: 0.01 }, remarks: ["name the columns under `key` that no two rows may share", rowSizes(0.01, table.rows)] },
    ...personal(dataset, declared),
    ...(declared?.sensitivity === "public" && groups.length > 0 ? [{ check: { id: `${dataset}-anonymous`, check: "data.privacy.kanon", dataset, quasiIdentifiers: groups, min: 5 }, remarks: ["the data are public: name every column by which somebody might know a person; a census, no sample"] }] : []),
    ...(groups.length > 0 ? [{ check: { id: `${dataset}-groups`, check: "data.coverage", dataset, columns: groups, min: coverageRows }, remarks: ["two groups of 600 rows each show a difference below 0.1"] }] : []),
  ];
}

const coverageRows = 600;

/** Of data that are declared to be about people, nobody but the owner can say what is expected. */
function personal(dataset: string, declared: Dataset | undefined): readonly ProposedCheck[] {
  if (declared === undefined || declared.sensitivity === "personal" || declared.sensitivity === "special") return [];
  return [{ check: { id: `${dataset}-personal`, check: "data.pii", dataset, max: 0 }, remarks: [`the data are declared as ${declared.sensitivity}: nothing personal may stand in them; a census, no sample`] }];
}

function ruleOf(table: Table, column: string): object {
  const cells = table.cells(column);
  const present = cells.filter((cell) => !isMissing(cell));
  const isNumeric = present.length > 0 && columnKinds(table).numeric.includes(column);
  const type = isNumeric ? (present.every((cell) => castInteger(cell) !== undefined) ? "integer" : "number") : "string";
  return { type, ...(present.length === cells.length && { required: true }) };
}

/** What is asked of test data beside the training data. */
export function betweenTables(test: ReadData, train: ReadData): readonly ProposedCheck[] {
  const [dataset, reference] = [test.name, train.name];
  const kinds = columnKinds(train.table);
  return [
    { check: { id: "leakage", check: "data.leakage.overlap", dataset, reference }, remarks: ["no test row may stand in the training data: name whom rows are about under `entity`, and their date under `time`"] },
    ...(kinds.numeric.length > 0 ? [{ check: { id: "drift-numbers", check: "drift.numeric", dataset, reference, max: 0.2 }, remarks: ["test data that are not like the training data say little about the model; about 1,500 rows on each side show a distance below 0.2"] }] : []),
    ...(kinds.categorical.length > 0 ? [{ check: { id: "drift-categories", check: "drift.categorical", dataset, reference, max: 0.1 }, remarks: [] }] : []),
    { check: { id: "drift-missing", check: "drift.missing", dataset, reference, max: 0.02 }, remarks: [] },
  ];
}

const judgedColumns = ["stratum", "wrong"];

/** A table in which people have judged labels of another one. */
export function labelChecks(tables: readonly ReadData[], of: ReadData | undefined): readonly ProposedCheck[] {
  const sample = tables.find(({ table }) => judgedColumns.every((column) => table.has(column)));
  if (of === undefined || sample === undefined || sample.name === of.name) return [];
  return [{ check: { id: `${of.name}-labels`, check: "data.labels.noise", dataset: of.name, sample: sample.name, max: 0.03 }, remarks: [`that the labels judged in \`${sample.name}\` are those of \`${of.name}\` is a guess; give the rows of each stratum under \`strata\``, rowSizes(0.03, sample.table.rows)] }];
}
