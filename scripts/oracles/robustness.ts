import type { Norm } from "../../packages/assurance/src/robust/distance.ts";
import { gaussianOfLinear } from "../../packages/assurance/src/robust/noise.ts";
import { compareArt } from "./robustness-art.ts";
import { attacked, type AttackedModel, attackRows, decisionOf, distanceOf, queriesMax } from "./robustness-model.ts";
import { json, type OracleOptions, type Tally } from "./tally.ts";

/** Distances in exact.json come from weights in double precision, the model's are 32 bits wide. */
const distanceTolerance = 1e-5;
/** The bar: median distance of the attack over the exact one. */
const ratioMax = 1.15;

type Figures = Readonly<Record<string, unknown>>;

/** Exact distances, certificates, robust accuracies, noise, and the attack against the exact distances. */
export function compareRobustness(tally: Tally, options: OracleOptions): void {
  const { models } = json(options, "robustness/exact.json") as { models: Readonly<Record<string, Figures>> };
  for (const [name, figures] of Object.entries(models)) {
    if (options.quick && !name.startsWith("synth")) continue;
    try {
      compareModel(attacked(tally, options, { name, input: typeof figures["input"] === "string" ? figures["input"] : "" }), figures);
    } catch (error) {
      tally.same(name, String(error), "a comparison");
    }
  }
  if (!options.quick) compareArt(tally, options);
}

const comparisons: readonly (readonly [RegExp, (setting: AttackedModel, key: string, value: unknown) => void])[] = [
  [/^input$/u, () => undefined],
  [/^clean_accuracy$/u, (setting, key, value) => near(setting, key, { actual: cleanAccuracy(setting), expected: value })],
  [/^first\d+_min_(?:l1|l2|linf)$/u, compareFirst],
  [/^robust_accuracy_exact$/u, compareAccuracy],
  [/^gaussian_noise_expected_(?:accuracy|flip_rate)$/u, compareNoise],
  [/^rows$/u, compareRows],
  [/^exact_success_rate_on_correct$/u, (setting, _key, value) => compareRates(setting, value as Readonly<Record<string, number>>)],
];

function compareModel(setting: AttackedModel, figures: Figures): void {
  listed.set(setting, Array.isArray(figures["rows"]) ? (figures["rows"] as readonly ExactRow[]).map(({ row }) => row) : []);
  for (const [key, value] of Object.entries(figures)) {
    const compare = comparisons.find(([pattern]) => pattern.test(key))?.[1];
    if (compare === undefined) setting.tally.same(`${setting.name} ${key}`, "not computed", value);
    else compare(setting, key, value);
  }
}

function near(setting: AttackedModel, what: string, pair: { actual: number; expected: unknown }, tolerance = distanceTolerance): void {
  const expected = Number(pair.expected);
  const close = pair.actual === expected || Math.abs(pair.actual - expected) <= tolerance * Math.max(1, Math.abs(expected));
  setting.tally.near(`${setting.name} ${what}`, close ? expected : pair.actual, expected);
}

function cleanAccuracy(setting: AttackedModel): number {
  const right = Array.from({ length: setting.rows.rows }, (_, row) => row).filter((row) => decisionOf(setting, row) === setting.targets[row]);
  return right.length / setting.rows.rows;
}

function compareFirst(setting: AttackedModel, key: string, value: unknown): void {
  const norm = (key.split("_min_")[1] ?? "linf") as Norm;
  const expected = value as readonly number[];
  for (const [row, exact] of expected.entries()) compareDistance(setting, { row, exact, norm });
  if (norm === "l1") return;
  const rows = [...expected.keys()];
  for (const sees of ["scores", "labels"] as const) compareAttack(setting, { rows, exact: expected, norm, sees });
}

/** Exact within the tolerance; the certificate never above, by nothing at all. */
function compareDistance(setting: AttackedModel, given: { row: number; exact: number; norm: Norm }): void {
  const { row, exact, norm } = given;
  const found = distanceOf(setting, row, norm);
  near(setting, `row ${row} ${norm} from below`, { actual: found.lower, expected: exact });
  near(setting, `row ${row} ${norm} from above`, { actual: found.upper, expected: exact });
  setting.tally.same(`${setting.name} row ${row} ${norm} certificate above the exact distance`, found.certificate > exact, false);
}

interface ExactRow {
  readonly row: number;
  readonly status: string;
  readonly clean_correct: boolean;
  readonly min_linf?: number | string;
  readonly min_linf_infimum?: number | string;
}

const listed = new WeakMap<AttackedModel, readonly number[]>();

function compareRows(setting: AttackedModel, _key: string, value: unknown): void {
  const known: { row: number; exact: number }[] = [];
  for (const row of value as readonly ExactRow[]) {
    setting.tally.same(`${setting.name} row ${row.row} is rightly decided`, decisionOf(setting, row.row) === setting.targets[row.row], row.clean_correct);
    const exact = Number(row.min_linf ?? row.min_linf_infimum);
    if (row.status !== "optimal" || !Number.isFinite(exact)) {
      setting.tally.same(`${setting.name} row ${row.row} has no exact distance`, distanceOf(setting, row.row, "linf").upper >= 2, true);
      continue;
    }
    compareDistance(setting, { row: row.row, exact, norm: "linf" });
    known.push({ row: row.row, exact });
  }
  for (const sees of ["scores", "labels"] as const) compareAttack(setting, { rows: known.map(({ row }) => row), exact: known.map(({ exact }) => exact), norm: "linf", sees });
}

const found = new WeakMap<AttackedModel, ReadonlyMap<number, number>>();

/** The bar, measured as it is stated: per row over the exact distance, median, queries, never below. */
function compareAttack(setting: AttackedModel, given: { rows: readonly number[]; exact: readonly number[]; norm: Norm; sees: "scores" | "labels" }): void {
  const { norm, sees } = given;
  const evasions = attackRows(setting, given);
  const ratios = evasions.map(({ distance }, index) => distance / (given.exact[index] ?? Number.NaN)).sort((a, b) => a - b);
  const median = ratios[ratios.length >> 1] ?? Number.NaN;
  const what = `${setting.name} ${norm} attack with ${sees}`;
  setting.tally.same(`${what}: median ratio ${median.toFixed(4)} at most ${ratioMax}`, median <= ratioMax, true);
  setting.tally.same(`${what}: calls per row at most ${queriesMax}`, Math.max(...evasions.map(({ queries }) => queries)) <= queriesMax, true);
  setting.tally.same(`${what}: rows below the exact distance`, ratios.filter((ratio) => ratio < 1 - 1e-6).length, 0);
  if (norm === "linf" && sees === "scores") found.set(setting, new Map(evasions.map(({ distance }, index) => [given.rows[index] ?? -1, distance])));
}

/** Exact rates by our own exact distances, and the attack's rates: never above, and near. */
function compareRates(setting: AttackedModel, rates: Readonly<Record<string, number>>): void {
  const correct = (listed.get(setting) ?? []).filter((row) => decisionOf(setting, row) === setting.targets[row]);
  const exact = new Map(correct.map((row) => [row, distanceOf(setting, row, "linf").upper]));
  for (const [epsilon, rate] of Object.entries(rates)) {
    const share = (distances: ReadonlyMap<number, number> | undefined) => correct.filter((row) => (distances?.get(row) ?? Infinity) <= Number(epsilon)).length / correct.length;
    near(setting, `exact success rate at ${epsilon}`, { actual: share(exact), expected: rate }, 1e-9);
    const reached = share(found.get(setting));
    setting.tally.same(`${setting.name} attack rate at ${epsilon} above the exact rate`, reached > rate + 1e-9, false);
    setting.tally.same(`${setting.name} attack rate at ${epsilon} within 0.1 of the exact rate`, rate - reached <= 0.1, true);
  }
}

function compareAccuracy(setting: AttackedModel, key: string, value: unknown): void {
  for (const [norm, rates] of Object.entries(value as Readonly<Record<string, Readonly<Record<string, number>>>>)) {
    const lowers = Array.from({ length: setting.rows.rows }, (_, row) => (decisionOf(setting, row) === setting.targets[row] ? distanceOf(setting, row, norm as Norm).lower : -1));
    for (const [epsilon, rate] of Object.entries(rates)) {
      near(setting, `${key} ${norm} ${epsilon}`, { actual: lowers.filter((lower) => lower > Number(epsilon)).length / lowers.length, expected: rate }, 1e-9);
    }
  }
}

function compareNoise(setting: AttackedModel, key: string, value: unknown): void {
  const structure = setting.model.structure();
  for (const [sigma, rate] of Object.entries(value as Readonly<Record<string, number>>)) {
    const expected = structure.kind === "network" ? gaussianOfLinear({ ...structure, rows: setting.rows, targets: setting.targets }, { sigma: Number(sigma) }) : undefined;
    const actual = key.endsWith("accuracy") ? expected?.accuracy : expected?.flipRate;
    near(setting, `${key} ${sigma}`, { actual: actual ?? Number.NaN, expected: rate });
  }
}
