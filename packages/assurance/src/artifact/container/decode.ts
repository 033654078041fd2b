import type { Layer } from "../layer.ts";
import { ByteReader, bytesSource, type Source } from "../source.ts";
import { admitted, type Expanded } from "./expand.ts";
import { TooMuch, Window } from "./window.ts";

const decodedBytesMax = 512 << 20;

export type Decode = (reader: ByteReader, out: Window) => void;

/** Runs a decoder of our own: the output is kept in memory, and bounded while it grows. Undefined, with a finding, beyond a bound. */
export function decodeBounded(layer: Layer, source: Source, decode: Decode): Expanded | undefined {
  const { limits, used } = layer.run;
  const reader = new ByteReader(source);
  const out = new Window(() => Math.min(decodedBytesMax, limits.expandedBytesMax - used.expandedBytes, Math.max(limits.ratioFreeBytes, limits.ratioMax * (reader.at + 1))));
  try {
    decode(reader, out);
  } catch (fault) {
    if (!(fault instanceof TooMuch)) throw fault;
    if (admitted(layer, reader.at, out.size + 1)) layer.report("limit.expanded", `more than ${out.size} bytes come out of compressed data`);
    return undefined;
  }
  return admitted(layer, reader.at, out.size) ? { source: bytesSource(out.bytes.subarray(0, out.size)), consumed: reader.at } : undefined;
}
