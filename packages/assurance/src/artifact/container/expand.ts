import { closeSync, mkdtempSync, openSync, readSync, writeSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Transform } from "node:stream";
import { createInflateRaw, createZstdDecompress, inflateRawSync } from "node:zlib";
import type { Layer } from "../layer.ts";
import { bytesSource, Damaged, type Source } from "../source.ts";

export interface Expanded {
  readonly source: Source;
  /** Bytes of the input that belong to the compressed stream. */
  readonly consumed: number;
}

const inputBytesAtOnce = 1 << 20;
const syncInputBytesMax = 1 << 20;
const syncOutputBytesMax = 16 << 20;

/** Undefined, with a finding, when a bound of the scan was reached; `Damaged` when the stream is broken. */
export async function inflateRaw(layer: Layer, source: Source, start: number): Promise<Expanded | undefined> {
  const quick = source.size - start <= syncInputBytesMax ? inflateAtOnce(source, start) : undefined;
  if (quick === undefined) return stream(layer, { source, start, through: createInflateRaw() });
  return admitted(layer, quick.consumed, quick.source.size) ? quick : undefined;
}

export async function unzstd(layer: Layer, source: Source, start: number): Promise<Expanded | undefined> {
  return stream(layer, { source, start, through: createZstdDecompress() });
}

function inflateAtOnce(source: Source, start: number): Expanded | undefined {
  try {
    const result: unknown = inflateRawSync(source.read(start, source.size - start), { info: true, maxOutputLength: syncOutputBytesMax });
    return isInflated(result) ? { source: bytesSource(result.buffer), consumed: result.engine.bytesWritten } : undefined;
  } catch (cause) {
    if (cause instanceof RangeError) return undefined;
    throw new Damaged("the compressed data are broken", start);
  }
}

/** What zlib gives with `info`, which its declared type does not tell. */
function isInflated(value: unknown): value is { readonly buffer: Uint8Array; readonly engine: { readonly bytesWritten: number } } {
  return typeof value === "object" && value !== null && "buffer" in value && value.buffer instanceof Uint8Array && "engine" in value;
}

/** Counts what was expanded against the bounds of the whole scan. */
export function admitted(layer: Layer, consumed: number, produced: number): boolean {
  const { limits, used } = layer.run;
  if (produced > limits.ratioFreeBytes && produced > limits.ratioMax * Math.max(1, consumed)) {
    layer.report("limit.ratio", `${consumed} bytes expand to more than ${limits.ratioMax} times as much`);
    return false;
  }
  used.expandedBytes += produced;
  if (used.expandedBytes <= limits.expandedBytesMax) return true;
  layer.report("limit.expanded", `more than ${limits.expandedBytesMax} bytes come out of compressed data`);
  return false;
}

async function stream(layer: Layer, { source, start, through }: { readonly source: Source; readonly start: number; readonly through: Transform & { readonly bytesWritten?: number } }): Promise<Expanded | undefined> {
  const sink = new Sink(layer);
  const bounds = layer.run.limits;
  const feed = async (): Promise<void> => {
    for (let at = start; at < source.size && !through.destroyed && !through.readableEnded; at += inputBytesAtOnce) {
      if (!through.write(source.read(at, inputBytesAtOnce))) await new Promise<void>((resolve) => { through.once("drain", resolve); through.once("close", resolve); through.once("end", resolve); });
    }
    through.end();
  };
  try {
    const fed = feed();
    fed.catch(() => undefined);
    for await (const chunk of through) {
      if (!(chunk instanceof Uint8Array)) continue;
      sink.write(chunk);
      const read = through.bytesWritten ?? 0;
      if (layer.run.used.expandedBytes + sink.size > bounds.expandedBytesMax || (sink.size > bounds.ratioFreeBytes && sink.size > bounds.ratioMax * (read + inputBytesAtOnce))) break;
    }
  } catch (cause) {
    if (cause instanceof Damaged) throw cause;
    throw new Damaged("the compressed data are broken", start);
  } finally {
    through.destroy();
  }
  const consumed = through.bytesWritten ?? source.size - start;
  return admitted(layer, consumed, sink.size) ? { source: sink.source(), consumed } : undefined;
}

/** Takes expanded bytes: in memory up to a bound, in a temporary file above it. */
export class Sink {
  size = 0;
  readonly #layer: Layer;
  #chunks: Uint8Array[] = [];
  #file: { readonly handle: number } | undefined;

  constructor(layer: Layer) {
    this.#layer = layer;
  }

  write(chunk: Uint8Array): void {
    this.size += chunk.length;
    if (this.#file === undefined) {
      this.#chunks.push(chunk);
      if (this.size > this.#layer.run.limits.memoryBytesMax) this.#spill();
    } else {
      writeSync(this.#file.handle, chunk);
    }
  }

  source(): Source {
    const { size } = this;
    const file = this.#file;
    if (file === undefined) return bytesSource(Buffer.concat(this.#chunks));
    return {
      size,
      read: (offset, length) => {
        const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
        return bytes.subarray(0, readSync(file.handle, bytes, 0, bytes.length, offset));
      },
    };
  }

  #spill(): void {
    const folder = mkdtempSync(path.join(os.tmpdir(), "licet-artifact-"));
    const handle = openSync(path.join(folder, "expanded"), "w+");
    this.#layer.run.temporary.push({ folder, close: () => closeSync(handle) });
    for (const chunk of this.#chunks) writeSync(handle, chunk);
    this.#chunks = [];
    this.#file = { handle };
  }
}
