import { csvText, generalise, measureAnonymity, type AnonymityStatistics, type Table } from "@licet/assurance";
import { LicetError, type DataLineage } from "@licet/contract";
import { lineageBase, outputOf, publish, targetOf, type OutputOptions } from "./data-output.ts";
import { wholeFrom, parameterInvalid } from "./data-parameters.ts";
import { reportTransform, type ReportOptions } from "./data-report.ts";
import { readSource, requireColumns, type DataSource, type SourceOptions } from "./data-source.ts";
import type { ExitCode } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

export interface AnonymiseOptions extends SourceOptions, OutputOptions, ReportOptions {
  readonly quasi: readonly string[];
  readonly k: string;
  /** `COLUMN=L`: every group must keep so many different values of the column. */
  readonly diversity?: string;
  readonly sensitive?: readonly string[];
  readonly drop?: readonly string[];
}

type Parameters = Extract<DataLineage, { method: "anonymise" }>["parameters"];

/** Generalises and leaves out until every combination of quasi-identifiers stands for at least k rows. No chance is in it: it needs no seed. */
export async function runAnonymise(named: string, options: AnonymiseOptions, terminal: Terminal): Promise<ExitCode> {
  const source = await readSource(named, options);
  const parameters = parametersOf(options, source.table);
  const target = targetOf(options, [source.file]);
  const { quasiIdentifiers, k, diversity, drop } = parameters;
  const made = generalise(source.table, { quasiIdentifiers, k, drop, ...(diversity !== undefined && { diversity }) });
  if (made.table.rows === 0) throw unreachable(`no grouping of the ${source.table.rows} rows keeps ${k} rows${diversity === undefined ? "" : ` and ${diversity.l} values of \`${diversity.column}\``} in a group`);
  const output = outputOf(csvText(made.table));
  // Counted again in the bytes that will be published: the promise is about the file.
  const privacy = measureAnonymity(output.table, { quasiIdentifiers, k, sensitive: parameters.sensitive });
  if (privacy.k < k) throw new LicetError("internal", { message: `the generalised table has groups of ${privacy.k} rows: nothing was written` });
  const lineage: DataLineage = {
    ...lineageBase(source, output, target),
    method: "anonymise",
    parameters,
    randomness: { kind: "none" },
    privacy: { k: privacy.k, groups: privacy.groups, sensitive: sensitiveOf(privacy) },
    loss: made.loss,
    notes: notesOf(source, parameters),
  };
  publish(target, output, lineage);
  return reportTransform({ lineage, target }, options, terminal);
}

function parametersOf(options: AnonymiseOptions, table: Table): Parameters {
  const { quasi, drop = [] } = options;
  const quasiIdentifiers = [...new Set(quasi)];
  requireColumns(table, quasiIdentifiers, "`--quasi`");
  requireColumns(table, drop, "`--drop`");
  const dropped = quasiIdentifiers.find((column) => drop.includes(column));
  if (dropped !== undefined) throw parameterInvalid(`\`${dropped}\` stands in \`--quasi\` and in \`--drop\`: leave it in one`);
  const k = wholeFrom(options.k, "--k", { min: 2, max: 1_000_000 });
  if (k > table.rows) throw unreachable(`k is ${k} and the table has ${table.rows} rows`);
  const diversity = diversityOf(options.diversity, table);
  const sensitive = [...new Set([...(diversity === undefined ? [] : [diversity.column]), ...(options.sensitive ?? [])])];
  requireColumns(table, sensitive, "`--sensitive`");
  const unfit = sensitive.find((column) => drop.includes(column) || quasiIdentifiers.includes(column));
  if (unfit !== undefined) throw parameterInvalid(`\`${unfit}\` is sensitive, so it can be neither a quasi-identifier nor dropped: leave it in one`);
  return { quasiIdentifiers, k, ...(diversity !== undefined && { diversity }), sensitive, drop: [...new Set(drop)] };
}

function diversityOf(text: string | undefined, table: Table): Parameters["diversity"] {
  if (text === undefined) return undefined;
  const at = text.lastIndexOf("=");
  if (at < 1) throw parameterInvalid(`\`--diversity ${text}\` is not COLUMN=L`);
  const column = text.slice(0, at);
  requireColumns(table, [column], "`--diversity`");
  const l = wholeFrom(text.slice(at + 1), "--diversity", { min: 2, max: 1_000_000 });
  const values = new Set(table.cells(column)).size;
  if (l > values) throw unreachable(`l is ${l} and column \`${column}\` has ${values} different values`);
  return { column, l };
}

function unreachable(message: string): LicetError {
  return new LicetError("transform_unreachable", { message: `${message}: ask for less, or give more rows` });
}

function sensitiveOf({ sensitive }: AnonymityStatistics): Extract<DataLineage, { method: "anonymise" }>["privacy"]["sensitive"] {
  return sensitive.map(({ name, distinctL, entropyL, t, tDistance }) => ({ column: name, distinctL, entropyL, t, tDistance }));
}

/** What k-anonymity says nothing about, and is met most often. */
function notesOf({ table }: DataSource, { quasiIdentifiers, drop, sensitive }: Parameters): string[] {
  const kept = table.columns.filter((column) => !quasiIdentifiers.includes(column) && !drop.includes(column));
  const telling = kept.filter((column) => new Set(table.cells(column)).size > tellingShare * table.rows);
  return [
    ...(telling.length === 0 ? [] : [`differing in nearly every row, and in the output as they were: ${telling.map((column) => `\`${column}\``).join(", ")}; where somebody could know one, drop it or make it a quasi-identifier`]),
    ...(sensitive.length === 0 ? ["no sensitive column was named: a group whose rows all agree in one gives everybody in it away"] : []),
  ];
}

const tellingShare = 0.9;
