import type { Table } from "@licet/assurance";
import type { Manifest, Model } from "@licet/contract";
import { languageChecks } from "./language-models.ts";
import { joined, type Lack, type Proposal, type ReadData } from "./proposal.ts";
import { lacks, scoredModelChecks } from "./scored-models.ts";
import { betweenTables, labelChecks, tableChecks } from "./tables.ts";

export interface ProposeOptions {
  readonly manifest: Manifest;
  /** Declared data sets that could be read, by name. */
  readonly tables: ReadonlyMap<string, Table>;
}

const testName = /test|valid|holdout|hold-out|eval/u;
const trainName = /train|fit|learn/u;

/** Checks for what the manifest declares, with the limits that the catalogue begins with. Nothing is measured here. */
export function proposeChecks({ manifest, tables }: ProposeOptions): Proposal {
  const read = [...tables].map(([name, table]): ReadData => ({ name, table }));
  const test = read.find(({ name }) => testName.test(name)) ?? (read.length === 1 ? read[0] : undefined);
  const train = read.find((each) => trainName.test(each.name) && each !== test);
  const { models, datasets = [] } = manifest.components;
  const [predicting, speaking] = [models.filter(isPredicting), models.filter(isSpeaking)];
  const ofData = read.flatMap((each) => tableChecks(each, datasets.find(({ name }) => name === each.name)));
  const between = test !== undefined && train !== undefined ? betweenTables(test, train) : [];
  return whole(joined([
    { checks: models.flatMap(fileChecks), lacking: models.flatMap(fileLacks), beside: [] },
    { checks: [...ofData, ...between, ...labelChecks(read, test)], lacking: dataLacks(read), beside: [] },
    ...predicting.map((model) => scoredModelChecks(model, { test, train, predicting })),
    ...speaking.map((model) => languageChecks(model, manifest, { tables: read, speaking })),
    ...models.filter((model) => !isPredicting(model) && !isSpeaking(model)).map(({ name }) => lacks(["perf", "fair", "robust", "privacy", "explain", "quality", "injection"], `checks read models from ONNX files: export \`${name}\` as one, or declare it without a file as it is served, a predictive one with \`scoring\``)),
  ]));
}

function isPredicting({ file, scoring }: Model): boolean {
  return file?.toLowerCase().endsWith(".onnx") === true || scoring !== undefined;
}

function isSpeaking({ file, scoring }: Model): boolean {
  return file === undefined && scoring === undefined;
}

function fileChecks({ name, file }: Model): Proposal["checks"] {
  return file === undefined ? [] : [{ check: { id: `${name}-file`, check: "artifact.scan", artifact: name }, remarks: ["what loading the file would do: a census of its bytes, no sample"] }];
}

function fileLacks({ name, file }: Model): readonly Lack[] {
  return file === undefined ? [{ kind: "artifact", add: `the file of \`${name}\` is not declared: name it, or a copy of it, as a data set and scan that` }] : [];
}

function dataLacks(read: readonly ReadData[]): readonly Lack[] {
  return read.length > 0 ? [] : [{ kind: "data", add: "declare the data that the system is built and tested with as data sets with files" }];
}

/** Two data sets with one name, or one that is named like a model: an id stands once. */
function whole(proposal: Proposal): Proposal {
  const seen = new Map<string, number>();
  const checks = proposal.checks.map((each) => {
    const id = String(each.check["id"]).toLowerCase().slice(0, idCharactersMax);
    const times = (seen.get(id) ?? 0) + 1;
    seen.set(id, times);
    return { ...each, check: { ...each.check, id: times === 1 ? id : `${id}-${times}` } };
  });
  return { ...proposal, checks };
}

/** Leaves room for a number behind it. */
const idCharactersMax = 90;
