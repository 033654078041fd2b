import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { Components, readAnyTable, tableBounds, type Table } from "@licet/assurance";
import { LicetError } from "@licet/contract";
import { componentFiles } from "./check-files.ts";
import { UsageError } from "./failure.ts";
import { projectHere } from "./project.ts";

/** A table to be transformed: the bytes are read once, so that the digest is of what was transformed. */
export interface DataSource {
  readonly name: string;
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly digest: string;
  readonly table: Table;
  readonly dataset?: string;
  readonly system?: string;
}

export interface SourceOptions {
  /** The folder of a manifest: then the source is the name of a data set that it declares. */
  readonly dir?: string;
}

/** Throws `file_unreadable`, `table_malformed`, `table_too_large`, `transform_table_empty`; of a data set also what `component_*` says. */
export async function readSource(named: string, { dir }: SourceOptions): Promise<DataSource> {
  if (dir === undefined) return read(resolve(named), basename(named));
  const { project, system } = projectHere({ dir });
  if (project === undefined) throw new UsageError("--dir is the folder of licet.yaml");
  const files = componentFiles(project);
  const isDataset = (project.manifest.components.datasets ?? []).some(({ name }) => name === named);
  if (!isDataset || files[named] === undefined) {
    throw new LicetError("component_undeclared", { message: `no data set \`${named}\` with a file is declared in \`${project.file}\`: declare it, or give a file without --dir`, at: { dataset: named } });
  }
  const { file, digest } = await new Components(project.folder, (name) => files[name]).locate(named);
  const source = await read(file, basename(file));
  if (source.digest !== digest) throw new LicetError("component_digest_mismatch", { message: `the file of \`${named}\` changed while it was read: run the command again`, at: { component: named } });
  return { ...source, dataset: named, system };
}

async function read(file: string, name: string): Promise<DataSource> {
  const found = statSync(file);
  // A pipe or a device would block for ever, and could not be read a second time to prove anything.
  if (!found.isFile()) throw new LicetError("file_unreadable", { message: `\`${name}\` is not a regular file: give a CSV, Parquet or Arrow file` });
  if (found.size > tableBounds.bytesMax) throw new LicetError("table_too_large", { message: `\`${name}\` has ${found.size} bytes; ${tableBounds.bytesMax} are allowed` });
  const bytes = readFileSync(file);
  const table = await readAnyTable(bytes);
  if (table.rows === 0) throw new LicetError("transform_table_empty", { message: `\`${name}\` has a header and no rows: give a table with rows` });
  return { name, file, bytes, digest: digestOfData(bytes), table };
}

export function digestOfData(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Throws `table_column_missing`, naming the option in which the column stands. */
export function requireColumns(table: Table, columns: readonly string[], option: string): void {
  for (const column of columns) {
    if (table.has(column)) continue;
    throw new LicetError("table_column_missing", { message: `the table has no column \`${column}\`, which ${option} names: it has ${table.columns.slice(0, namedMax).map((name) => `\`${name}\``).join(", ")}`, at: { column, columns: table.columns.slice(0, namedMax) } });
  }
}

const namedMax = 50;
