import { randomBytes } from "node:crypto";
import { accessSync, closeSync, constants, existsSync, fsyncSync, linkSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { engine, readTable, type Table } from "@licet/assurance";
import { LicetError, lineageSuffix, type DataLineage } from "@licet/contract";
import { systemClock } from "../base/clock.ts";
import { digestOfData, type DataSource } from "./data-source.ts";

export interface OutputOptions {
  readonly out: string;
  /** Write over what is there. */
  readonly force?: boolean;
}

export interface DataTarget {
  readonly out: string;
  readonly lineage: string;
  readonly force: boolean;
}

/** Throws `transform_output_taken` for a file that the command reads, and `already_exists` without `force`. */
export function targetOf({ out, force = false }: OutputOptions, reads: readonly string[]): DataTarget {
  const target = { out: resolve(out), lineage: `${resolve(out)}${lineageSuffix}`, force };
  for (const file of [target.out, target.lineage]) {
    if (reads.some((each) => isSame(each, file))) throw new LicetError("transform_output_taken", { message: `\`${basename(file)}\` is read by this command: choose another \`--out\`` });
    if (existsSync(file) && !force) throw new LicetError("already_exists", { message: `\`${basename(file)}\` exists already: choose another \`--out\`, or repeat with \`--force\`` });
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true) throw new LicetError("file_unreadable", { message: `\`${basename(file)}\` is a folder: choose another \`--out\`` });
  }
  // Before anything is spent: a budget paid for a table that nobody can write would be lost.
  accessSync(dirname(target.out), constants.W_OK);
  return target;
}

/** By what it is and not by its name: links lead to one file under many names. */
function isSame(first: string, second: string): boolean {
  if (resolve(first) === resolve(second)) return true;
  const [a, b] = [statSync(first, { throwIfNoEntry: false }), statSync(second, { throwIfNoEntry: false })];
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}

/** What will stand in the output, read back from its bytes, so that what is said of it is true of the file. */
export interface DataOutput {
  readonly bytes: Uint8Array;
  readonly digest: string;
  readonly table: Table;
}

export function outputOf(text: string): DataOutput {
  const bytes = new TextEncoder().encode(text);
  return { bytes, digest: digestOfData(bytes), table: readTable(bytes) };
}

/** The part of a lineage that every method has. */
export function lineageBase(source: DataSource, output: DataOutput, target: DataTarget): Pick<DataLineage, "schema" | "source" | "output" | "engine" | "time"> {
  const { name, dataset, system } = source;
  return {
    schema: "licet.assurance.lineage/v1",
    source: { name, ...described(source), ...(dataset !== undefined && { dataset }), ...(system !== undefined && { system }) },
    output: { name: basename(target.out), ...described(output) },
    engine,
    time: systemClock.now(),
  };
}

function described({ bytes, digest, table }: DataOutput): { digest: string; bytes: number; rows: number; columns: string[] } {
  return { digest, bytes: bytes.length, rows: table.rows, columns: [...table.columns] };
}

/**
 * Both files or none. The lineage comes first: a table without one could be taken for the real one, a lineage
 * without its table is only of no use.
 */
export function publish(target: DataTarget, output: DataOutput, lineage: DataLineage): void {
  const former = target.force && existsSync(target.lineage) ? readFileSync(target.lineage) : undefined;
  const temporary = { out: writeBeside(target.out, output.bytes), lineage: "" };
  try {
    temporary.lineage = writeBeside(target.lineage, `${JSON.stringify(lineage, null, 2)}\n`);
    place(temporary.lineage, target.lineage, target.force);
    try {
      place(temporary.out, target.out, target.force);
    } catch (error) {
      if (former === undefined) rmSync(target.lineage, { force: true });
      else writeFileSync(target.lineage, former);
      throw error;
    }
  } finally {
    for (const file of [temporary.out, temporary.lineage]) if (file !== "") rmSync(file, { force: true });
  }
}

/** Linking, unlike renaming, refuses a name that somebody took meanwhile. */
function place(temporary: string, file: string, force: boolean): void {
  if (force) renameSync(temporary, file);
  else linkSync(temporary, file);
}

/** A new file in the same folder, on the medium when this returns; its name is the answer. */
export function writeBeside(file: string, content: string | Uint8Array): string {
  const temporary = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString("hex")}.tmp`);
  const handle = openSync(temporary, "wx");
  try {
    writeFileSync(handle, content);
    fsyncSync(handle);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(handle);
  }
  return temporary;
}
