import path from "node:path";
import { type ArtifactScan, scanArtifact } from "../../packages/assurance/src/artifact/scan-artifact.ts";
import { FileSource } from "../../packages/assurance/src/artifact/source.ts";
import { json, type OracleOptions, type Tally } from "./tally.ts";

interface Sample {
  readonly file: string;
  readonly sha256?: string;
  readonly bytes?: number;
  readonly format?: string;
  readonly label?: string;
  readonly expected_action?: string;
  readonly expected_globals?: readonly (readonly string[])[] | null;
}

const actions: Readonly<Record<string, string>> = {
  block: "fail", deny: "fail", reject: "fail", allow: "pass", pass: "pass",
  insufficient: "insufficient_evidence", insufficient_evidence: "insufficient_evidence", unknown: "insufficient_evidence", unsupported: "insufficient_evidence",
};
const byLabel: Readonly<Record<string, string>> = { malicious: "block", benign: "allow", unknown: "insufficient" };
/** Words of the labels that mean formats of ours; containers of one kind are one family. */
const families: Readonly<Record<string, string>> = {
  pickle: "pickle", joblib: "pickle", "torch-legacy": "pickle", zlib: "pickle", gzip: "gzip",
  zip: "zip", "torch-zip": "zip", torchscript: "zip", keras: "zip", npz: "zip", mar: "zip",
  npy: "npy", h5: "hdf5", hdf5: "hdf5", onnx: "onnx", safetensors: "safetensors", gguf: "gguf", tar: "tar", savedmodel: "savedmodel", tflite: "tflite", coreml: "coreml", pmml: "pmml", notebook: "notebook",
};

/** Every sample of a folder: its verdict against the expected action, the names that loading imports, its digest and size. */
export async function compareArtifacts(tally: Tally, options: OracleOptions): Promise<void> {
  const labels = json(options, `${tally.area}/labels.json`) as { readonly samples?: readonly Sample[] };
  if (!Array.isArray(labels.samples)) {
    tally.same("labels.json has samples", false, true);
    return;
  }
  for (const sample of labels.samples as readonly Sample[]) await compareSample(tally, options, sample);
}

async function compareSample(tally: Tally, options: OracleOptions, sample: Sample): Promise<void> {
  try {
    const source = new FileSource(path.join(options.dir, tally.area, sample.file));
    compareScan(tally, sample, await scanArtifact(source, { name: sample.file }).finally(() => source.close()));
  } catch (fault) {
    tally.same(`${sample.file}: scanned`, String(fault), "no error");
  }
}

function compareScan(tally: Tally, sample: Sample, scan: ArtifactScan): void {
  const name = sample.file;
  const action = sample.expected_action ?? byLabel[sample.label ?? ""] ?? "no action";
  tally.same(`${name}: verdict`, scan.verdict, actions[action] ?? `an unknown action \`${action}\``);
  if (sample.sha256 !== undefined) tally.same(`${name}: digest`, scan.format.sha256, sample.sha256);
  if (sample.bytes !== undefined) tally.same(`${name}: bytes`, scan.format.bytes, sample.bytes);
  const family = families[sample.format ?? ""];
  if (family !== undefined) tally.same(`${name}: format`, families[scan.format.format] ?? scan.format.format, family);
  const found = new Set(scan.globals.map((held) => `${held.module} ${held.name}`));
  for (const held of sample.expected_globals ?? []) tally.same(`${name}: imports ${held.join(".")}`, found.has(held.join(" ")), true);
}
