import { parentPort, workerData } from "node:worker_threads";
import { type ColumnarBounds, type ColumnarFile, DamagedFile, LargeFile } from "./columnar-file.ts";

/** A thread of its own, started by `columnar.ts`: a hostile file ends this thread and nothing else. */

interface Order {
  readonly form: "parquet" | "arrow";
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly bounds: ColumnarBounds;
}

type Answer = { readonly kind: "read"; readonly file: ColumnarFile } | { readonly kind: "large" | "damaged"; readonly why: string };

const wordsMax = 300;

async function answer({ form, bytes, bounds }: Order): Promise<Answer> {
  try {
    return { kind: "read", file: await read(form, bytes, bounds) };
  } catch (error) {
    if (error instanceof LargeFile) return { kind: "large", why: error.message };
    if (error instanceof DamagedFile) return { kind: "damaged", why: error.message };
    return { kind: "damaged", why: `it cannot be read (${error instanceof Error ? error.message.slice(0, wordsMax) : "for no stated reason"})` };
  }
}

/** Only the reader of this form is loaded. */
async function read(form: Order["form"], bytes: Order["bytes"], bounds: ColumnarBounds): Promise<ColumnarFile> {
  if (form === "parquet") return (await import("./parquet.ts")).readParquet(bytes, bounds);
  return (await import("./arrow.ts")).readArrow(bytes, bounds);
}

function buffersOf({ columns }: ColumnarFile): ArrayBuffer[] {
  return columns.flatMap(([, column]) => {
    if (column.kind === "refused") return [];
    const { buffer } = column.kind === "number" ? column.values : column.codes;
    return buffer instanceof ArrayBuffer ? [buffer] : [];
  });
}

const order: Order = workerData;
const message = await answer(order);
parentPort?.postMessage(message, message.kind === "read" ? buffersOf(message.file) : []);
