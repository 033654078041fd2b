import { createHash } from "node:crypto";
import { scanCompressedFormats, type Detector } from "./container/detectors.ts";
import { binaryFormats } from "./format/detectors.ts";
import { isHdf5 } from "./format/hdf5-file.ts";
import { isZero, scanZip } from "./container/scan-zip.ts";
import { zipDirectory } from "./container/zip-directory.ts";
import type { Layer } from "./layer.ts";
import { hidesPickle, looksLikePickle, scanPickle } from "./pickle/scan-pickle.ts";
import type { ArtifactRule } from "./rules.ts";
import { Damaged, type Source } from "./source.ts";
import { scanText } from "./text/scan-text.ts";

const headBytes = 4096;
const hashBytesAtOnce = 1 << 20;

const detectors: readonly Detector[] = [...scanCompressedFormats, ...binaryFormats];
const pickles = new Set(["pickle", "joblib", "torch-legacy"]);
const hdf5StartMax = 1 << 24;
/** Formats whose reader starts at the end: an archive inside their last bytes is found by it and by nobody else. */
const archives = new Set(["zip", "torch-zip", "torchscript", "keras", "npz", "mar"]);

/** Recognises one layer by its content, reads it, and reports every byte that no parser understood. */
export async function examine(layer: Layer): Promise<void> {
  layer.digest = digestOf(layer.source);
  const before = { ...layer.run.counts };
  try {
    await recognise(layer);
  } catch (fault) {
    if (fault instanceof RangeError) layer.report("limit.steps", `${layer.format}: the content is larger or deeper than a reader can hold`);
    else if (!(fault instanceof Damaged)) throw fault;
    else layer.report(malformedRule(layer.format), `${layer.format}: ${fault.message}`, fault.offset);
    layer.claimAll("damaged");
  }
  if (layer.run.counts.block === before.block && layer.run.counts.insufficient === before.insufficient) unclaimed(layer);
}

async function recognise(layer: Layer): Promise<void> {
  const { source } = layer;
  if (layer.purpose === "tensor") {
    layer.format = "tensor-data";
    layer.claimAll("elements");
    if (hidesPickle(source)) layer.report("pickle.shadow", "the bytes of a tensor are a pickle that imports something", 0);
    return;
  }
  if (source.size === 0) {
    layer.format = "empty";
    if (layer.depth === 0) layer.report("empty", "the file is empty");
    return;
  }
  const head = source.read(0, headBytes);
  const detector = detectors.find(({ matches }) => matches(head, source));
  if (detector !== undefined) {
    layer.format = detector.format;
    await detector.scan(layer);
  } else if (looksLikePickle(source)) scanPickle(layer);
  else if (await scanText(layer)) {
    await secondReading(layer);
    return;
  } else {
    layer.format = "unknown";
    layer.report("unknown", "the content is of no format that this scanner knows", 0);
    layer.claimAll("unknown");
  }
  if (!archives.has(layer.format)) await secondReading(layer);
  if (!archives.has(layer.format) && !pickles.has(layer.format)) otherStarts(layer);
}

/** Readers of pickles start at the first byte whatever the format is, and HDF5 may begin at some powers of two. */
function otherStarts(layer: Layer): void {
  if (layer.format !== "unknown" && hidesPickle(layer.source)) layer.report("polyglot", `the ${layer.format} file is also a pickle for a reader that expects one`, 0);
  for (let at = 512; at < Math.min(layer.source.size, hdf5StartMax); at *= 2) {
    if (isHdf5(layer.source.read(at, 8))) layer.report("polyglot", `the ${layer.format} file is also an HDF5 file, which begins at byte ${at}`, at);
  }
}

/**
 * Archives are found from their end, most other formats from their start. A file that is both is read as the one by
 * the scanner and as the other by the loader.
 */
async function secondReading(layer: Layer): Promise<void> {
  const directory = zipDirectory(layer.source, layer.run.limits.entriesMax);
  if (directory === undefined || directory.entries.length === 0 || insideOfChild(layer, directory.start)) return;
  layer.report("polyglot", `the ${layer.format} file is also a zip archive for a reader that starts at the end`, directory.start);
  const inner = layer.inner("zip at the end", layer.source);
  if (layer.depth < layer.run.limits.depthMax) await scanZip(inner);
}

/** An archive inside of an archive stands at its end quite regularly. */
function insideOfChild(layer: Layer, at: number): boolean {
  return (layer.format === "tar" || layer.format === "tflite") && layer.claims.list().some(({ start, end, by }) => by.startsWith("entry ") && at >= start && at < end);
}

function unclaimed(layer: Layer): void {
  for (const { start, end } of layer.claims.gaps(layer.source.size)) {
    if (isZero(layer.source, start, end)) continue;
    layer.report("unclaimed", `${end - start} bytes at ${start} were understood by no parser`, start);
    return;
  }
}

function malformedRule(format: string): ArtifactRule {
  const rules: Readonly<Record<string, ArtifactRule>> = {
    zip: "zip.malformed", tar: "tar.malformed", gzip: "compressed.malformed", zlib: "compressed.malformed", zstd: "compressed.malformed", npy: "npy.malformed", hdf5: "hdf5.malformed",
    savedmodel: "savedmodel.malformed", graphdef: "savedmodel.malformed", onnx: "onnx.malformed", safetensors: "safetensors.malformed", gguf: "gguf.malformed", tflite: "tflite.malformed", coreml: "coreml.malformed", ubjson: "ubjson.malformed", "xgboost-ubjson": "ubjson.malformed",
    bzip2: "compressed.malformed", xz: "compressed.malformed", lzma: "compressed.malformed", lz4: "compressed.malformed",
  };
  return rules[format] ?? "pickle.malformed";
}

function digestOf(source: Source): string {
  const hash = createHash("sha256");
  for (let at = 0; at < source.size; at += hashBytesAtOnce) hash.update(source.read(at, hashBytesAtOnce));
  return hash.digest("hex");
}
