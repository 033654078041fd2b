import { existsSync } from "node:fs";
import path from "node:path";
import { evade } from "../../packages/assurance/src/robust/evasion.ts";
import { FeatureSpace } from "../../packages/assurance/src/robust/feature-space.ts";
import type { Norm } from "../../packages/assurance/src/robust/distance.ts";
import { answered, scoresOf } from "../../packages/assurance/src/subject/probe.ts";
import { attacked, attackRows, type AttackedModel, decisionOf, distanceOf } from "./robustness-model.ts";
import { json, type OracleOptions, type Tally } from "./tally.ts";

interface ArtResult {
  readonly attack: string;
  readonly norm?: string;
  readonly rows: number;
  readonly clean_accuracy: number;
  readonly params?: { readonly eps?: number };
  readonly distance?: readonly (number | string)[];
  readonly exact_distance?: readonly (number | string)[];
  readonly success_rate_on_correct: number | Readonly<Record<string, number>>;
}

/** What another tool's attacks reached on the same rows: ours must reach as much, and never below the exact distance. */
export function compareArt(tally: Tally, options: OracleOptions): void {
  if (!existsSync(path.join(options.dir, "robustness/art.json"))) return;
  const { results } = json(options, "robustness/art.json") as { results: Readonly<Record<string, ArtResult>> };
  for (const [key, result] of Object.entries(results)) {
    const [name = ""] = key.split("/");
    const setting = attacked(tally, options, { name, input: `models/${name}.test.csv` });
    const rows = Array.from({ length: result.rows }, (_, row) => row);
    const right = rows.filter((row) => decisionOf(setting, row) === setting.targets[row]);
    tally.near(`${key} clean accuracy`, right.length / rows.length, result.clean_accuracy, 1e-9);
    if (result.attack === "SquareAttack") compareSquare(setting, { key, result, rows: right });
    else compareDistances(setting, { key, result, rows });
  }
}

function compareDistances(setting: AttackedModel, given: { key: string; result: ArtResult; rows: readonly number[] }): void {
  const { key, result, rows } = given;
  const norm = (result.norm ?? "linf") as Norm;
  const ours = attackRows(setting, { rows, norm, sees: "labels" }).map(({ distance }) => distance);
  const theirs = (result.distance ?? []).map(Number);
  setting.tally.same(`${key}: our median is not above theirs`, median(ours) <= median(theirs), true);
  for (const [row, each] of (result.exact_distance ?? []).entries()) {
    const exact = Number(each);
    if (!Number.isFinite(exact)) continue;
    const found = distanceOf(setting, row, norm);
    const close = Math.abs(found.lower - exact) <= 1e-5 * Math.max(1, exact) && found.certificate <= exact;
    setting.tally.near(`${key} row ${row} exact distance`, close ? exact : found.lower, exact);
    setting.tally.same(`${key} row ${row} below the exact distance`, (ours[row] ?? 0) < exact * (1 - 1e-6), false);
  }
}

function compareSquare(setting: AttackedModel, given: { key: string; result: ArtResult; rows: readonly number[] }): void {
  const { key, result, rows } = given;
  const epsilon = result.params?.eps ?? 0;
  const { columns } = setting.rows;
  const data = new Float32Array(rows.length * columns);
  for (const [index, row] of rows.entries()) data.set(setting.rows.data.subarray(row * columns, (row + 1) * columns), index * columns);
  const space = new FeatureSpace(Array.from({ length: columns }, () => ({ scale: 1, min: 0, max: 1 })));
  const evasions = answered(
    evade({ rows: rows.length, columns, data }, { norm: "linf", sees: "scores", queriesMax: 2000, restarts: 2, radiusMax: 1, seed: key, space, enough: epsilon, pool: setting.rows }),
    scoresOf(setting.model),
  );
  const rate = evasions.filter(({ distance }) => distance <= epsilon).length / rows.length;
  setting.tally.same(`${key}: our rate is not below theirs`, rate >= Number(result.success_rate_on_correct) - 1e-9, true);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
