import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { LicetError } from "@licet/contract";
import { z } from "zod";
import type { TableBounds } from "./csv.ts";
import { checkedHeader } from "./header.ts";
import type { StoredColumn } from "./stored-column.ts";
import { storedTable } from "./stored-table.ts";
import type { Table } from "./table.ts";
import type { TableForm } from "./table-form.ts";

const formWords = { parquet: "Parquet", arrow: "Arrow" } as const;

const Column = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("number"), values: z.instanceof(Float64Array) }),
  z.object({ kind: z.literal("text"), codes: z.instanceof(Uint32Array), dictionary: z.array(z.string()) }),
  z.object({ kind: z.literal("refused"), why: z.string() }),
]);

const Answer = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("read"), file: z.object({ rows: z.int().nonnegative(), columns: z.array(z.tuple([z.string(), Column])) }) }),
  z.object({ kind: z.literal("large"), why: z.string() }),
  z.object({ kind: z.literal("damaged"), why: z.string() }),
]);
type Answer = z.infer<typeof Answer>;

/**
 * Reads a Parquet or Arrow file in a thread of its own, with bounds on its memory and its time: the readers are other
 * people's and the file is a stranger's. Throws `table_malformed` and `table_too_large`, whatever the file does.
 */
export async function readColumnar(bytes: Uint8Array, form: Exclude<TableForm, "csv">, bounds: TableBounds): Promise<Table> {
  const answer = await inThread({ form, bytes, bounds: { rowsMax: bounds.rowsMax, columnsMax: bounds.columnsMax, cellsMax: bounds.cellsMax, expandedBytesMax: bounds.expandedBytesMax, fieldCharsMax: bounds.fieldCharsMax } }, bounds);
  if (answer.kind === "large") throw new LicetError("table_too_large", { message: answer.why });
  if (answer.kind !== "read") throw new LicetError("table_malformed", { message: `the ${formWords[form]} file is damaged: ${answer.why}` });
  const { rows, columns } = answer.file;
  checkedHeader(columns.map(([name]) => name));
  const odd = columns.find(([, column]) => lengthOf(column) !== rows && column.kind !== "refused");
  if (odd !== undefined) throw new LicetError("table_malformed", { message: `the ${formWords[form]} file is damaged: column \`${odd[0]}\` has another number of cells than there are rows` });
  return storedTable(new Map(columns), rows);
}

function lengthOf(column: StoredColumn): number {
  if (column.kind === "refused") return 0;
  return column.kind === "number" ? column.values.length : column.codes.length;
}

async function inThread(order: object, { memoryMbMax, readMsMax }: TableBounds): Promise<Answer> {
  const worker = new Worker(workerAddress(), { workerData: order, resourceLimits: { maxOldGenerationSizeMb: memoryMbMax }, stdout: true, stderr: true, env: {}, ...(isSource && { execArgv: ["--conditions=source"] }) });
  const timer = setTimeout(() => void worker.terminate(), readMsMax);
  try {
    return await new Promise<Answer>((resolve) => {
      worker.once("message", (message: unknown) => resolve(Answer.safeParse(message).data ?? damaged("its reader gave no table")));
      // Out of memory is an error of the thread; other errors of it are the file's doing too.
      worker.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ERR_WORKER_OUT_OF_MEMORY" ? { kind: "large", why: `the file takes more than ${memoryMbMax} MB of memory to read` } : damaged("its reader failed")));
      worker.once("exit", () => resolve({ kind: "large", why: `the file takes longer than ${readMsMax / 1000} seconds to read` }));
    });
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}

function damaged(why: string): Answer {
  return { kind: "damaged", why };
}

const isSource = extname(new URL(import.meta.url).pathname) === ".ts";

function workerAddress(): URL {
  return new URL(`./columnar-worker${isSource ? ".ts" : ".js"}`, import.meta.url);
}
