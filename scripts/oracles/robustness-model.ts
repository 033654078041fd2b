import path from "node:path";
import { loadModel, type Model } from "../../packages/assurance/src/index.ts";
import { decidedClass } from "../../packages/assurance/src/onnx/rivals.ts";
import { type Certified, certify } from "../../packages/assurance/src/robust/certified.ts";
import type { Norm } from "../../packages/assurance/src/robust/distance.ts";
import { evade } from "../../packages/assurance/src/robust/evasion.ts";
import { answered, type Rows, type Scores, scoresOf } from "../../packages/assurance/src/subject/probe.ts";
import { featureMatrix, targetsOf } from "./models.ts";
import { bytes, csv, type OracleOptions, type Tally } from "./tally.ts";

/** The bar is measured with this many calls per row. */
export const queriesMax = 2000;

export interface AttackedModel {
  readonly tally: Tally;
  readonly name: string;
  readonly model: Model;
  readonly rows: Rows;
  readonly targets: Float64Array;
  readonly scores: Scores;
  /** Distances that were computed once already. */
  readonly known: Map<string, Certified>;
}

export function attacked(tally: Tally, options: OracleOptions, given: { name: string; input: string }): AttackedModel {
  const table = csv(options, given.input);
  const model = loadModel(bytes(options, path.join("models", `${given.name}.onnx`)));
  const { rows } = featureMatrix(table);
  return { tally, name: given.name, model, rows, targets: targetsOf(table), scores: scoresOf(model)(rows), known: new Map() };
}

export function decisionOf(setting: AttackedModel, row: number): number {
  return decidedClass(setting.scores.scores, { start: row * setting.scores.columns, columns: setting.scores.columns });
}

export function rowOf(setting: AttackedModel, row: number): Float32Array {
  return setting.rows.data.subarray(row * setting.rows.columns, (row + 1) * setting.rows.columns);
}

export function distanceOf(setting: AttackedModel, row: number, norm: Norm): Certified {
  const key = `${norm} ${row}`;
  const known = setting.known.get(key);
  if (known !== undefined) return known;
  const found = certify(setting.model.structure(), rowOf(setting, row), { norm, decided: decisionOf(setting, row), radiusMax: 4 });
  setting.known.set(key, found);
  return found;
}

export function attackRows(setting: AttackedModel, given: { rows: readonly number[]; norm: Norm; sees: "scores" | "labels" }) {
  const { columns } = setting.rows;
  const data = new Float32Array(given.rows.length * columns);
  for (const [index, row] of given.rows.entries()) data.set(rowOf(setting, row), index * columns);
  const options = { norm: given.norm, sees: given.sees, queriesMax, restarts: 3, radiusMax: 5, seed: setting.name, pool: setting.rows };
  return answered(evade({ rows: given.rows.length, columns, data }, options), scoresOf(setting.model));
}
