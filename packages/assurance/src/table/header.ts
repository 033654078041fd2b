import { LicetError } from "@licet/contract";

/** Refuses a header with an empty or repeated name. */
export function checkedHeader(fields: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  for (const [index, name] of fields.entries()) {
    if (name === "") throw header(`column ${index + 1} has no name`, index);
    if (seen.has(name)) throw header(`the name \`${name}\` stands twice`, index);
    seen.add(name);
  }
  if (fields.length === 0) throw header("the header row is empty", 0);
  return fields;
}

function header(what: string, index: number): LicetError {
  return new LicetError("table_malformed", { message: `line 1: ${what} in the header: give every column its own name`, at: { line: 1, column: index + 1 } });
}

/** A row with another number of fields than the header. */
export function wrongWidth(line: number, found: number, expected: number): LicetError {
  return new LicetError("table_malformed", {
    message: `line ${line} has ${found} fields where the header has ${expected}: complete the row or quote the commas in it`,
    at: { line, found, expected },
  });
}
