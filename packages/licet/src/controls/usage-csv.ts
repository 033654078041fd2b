import { LicetError } from "../base/errors.ts";

/** A row of a CSV file by the names in its header. */
export interface CsvRow {
  /** Where it begins, from 1. */
  readonly line: number;
  readonly cells: ReadonlyMap<string, string>;
}

export const csvRowsMax = 1_000_000;

export function malformed(line: number, what: string): LicetError {
  return new LicetError("usage_malformed", { message: `line ${line}: ${what}`, at: { line } });
}

/** RFC 4180 with a header: quotes may hold commas, newlines and doubled quotes. Throws `usage_malformed` with the line. */
export function readCsv(text: string): readonly CsvRow[] {
  const [header, ...rows] = records(text);
  if (header === undefined) throw malformed(1, "the file is empty");
  const names = header.cells.map((name) => name.trim());
  if (new Set(names).size !== names.length) throw malformed(1, "a column stands twice in the header");
  return rows.map(({ line, cells }) => {
    if (cells.length !== names.length) throw malformed(line, `the row has ${cells.length} cells, and the header ${names.length}`);
    return { line, cells: new Map(names.map((name, at) => [name, (cells[at] ?? "").trim()])) };
  });
}

interface Row {
  readonly line: number;
  readonly cells: readonly string[];
}

/** A cell, and what ends it: a comma, a newline, or the end of the text. */
const cellPattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/uy;

function records(text: string): readonly Row[] {
  const rows: Row[] = [];
  let [cells, begun, line]: [string[], number, number] = [[], 1, 1];
  cellPattern.lastIndex = text.startsWith("\u{FEFF}") ? 1 : 0;
  for (let ended = cellPattern.lastIndex === text.length; !ended; ) {
    const cell = nextCell(text, line);
    cells.push(cell.content);
    line += cell.newlines;
    ended = !cell.more && cellPattern.lastIndex === text.length;
    if (cell.more) continue;
    if (cells.length > 1 || cells[0] !== "") rows.push({ line: begun, cells });
    if (rows.length > csvRowsMax) throw malformed(line, `more than ${csvRowsMax} rows`);
    [cells, begun] = [[], line];
  }
  return rows;
}

function nextCell(text: string, line: number): { readonly content: string; readonly newlines: number; readonly more: boolean } {
  const [whole, quoted, plain, end] = cellPattern.exec(text) ?? [];
  if (whole === undefined) throw malformed(line, "a quote is not closed, or text stands beside one");
  return { content: quoted?.replaceAll('""', '"') ?? plain ?? "", newlines: whole.split("\n").length - 1, more: end === "," };
}
