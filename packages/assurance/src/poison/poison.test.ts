import { describe, expect, test } from "vitest";
import { fromColumns } from "../linear/matrix.ts";
import { randomFrom } from "../stats/random.ts";
import { measureActivationClusters } from "./activation-clustering.ts";
import { measureNeighbourLabels, neighbourDisagreement } from "./neighbour-labels.ts";
import { scanPatches, type ScoreRows } from "./patch-scan.ts";
import { measureSpectral, mostSuspect } from "./spectral-signature.ts";

/** Two classes of activations; in class `b` the first ten rows are poisoned and lie apart. */
function activations(): { data: ReturnType<typeof fromColumns>; labels: readonly string[] } {
  const random = randomFrom("activations");
  const labels = Array.from({ length: 160 }, (_, row) => (row < 80 ? "a" : "b"));
  const columns = Array.from({ length: 8 }, (_, column) =>
    Float64Array.from(labels, (label, row) => random.normal() + (label === "b" ? 3 * (column % 2) : 0) + (row >= 80 && row < 90 ? 6 * ((column + 1) % 2) : 0)));
  return { data: fromColumns(columns), labels };
}

test("rows planted apart from their class stand first in the spectral signature and form the smaller cluster", () => {
  const { data, labels } = activations();
  const spectral = measureSpectral(data, labels, { expectedShare: 10 / 80 });
  const suspects = spectral.classes.find(({ label }) => label === "b")?.suspects ?? [];
  expect(suspects.slice(0, 10).toSorted((x, y) => x - y)).toEqual(Array.from({ length: 10 }, (_, index) => 80 + index));
  const clusters = measureActivationClusters(data, labels, { seed: "s" });
  const b = clusters.classes.find(({ label }) => label === "b");
  expect(b?.smaller).toEqual(Array.from({ length: 10 }, (_, index) => 80 + index));
  expect(b?.silhouette).toBeGreaterThan(clusters.classes.find(({ label }) => label === "a")?.silhouette ?? 1);
  expect([spectral.advisory, clusters.advisory]).toEqual([true, true]);
});

test("classes too small for a direction are told as such and break nothing", () => {
  const data = fromColumns([Float64Array.of(1, 2, 3)]);
  expect(measureSpectral(data, ["a", "a", "b"]).classes.map(({ dominance }) => dominance)).toEqual([null, null]);
  expect(measureActivationClusters(data, ["a", "a", "b"], { seed: "s" }).classes.every(({ smallerShare }) => smallerShare === null)).toBe(true);
  expect(mostSuspect(Float64Array.of(1, 5, 3), 1)).toEqual([1]);
});

test("a row labelled unlike its surroundings is found, by the definition", () => {
  const data = fromColumns([Float64Array.of(0, 1, 2, 3, 100, 101, 102)]);
  const labels = ["a", "b", "a", "a", "b", "b", "b"];
  expect([...neighbourDisagreement(data, labels, 2)]).toEqual([0.5, 1, 0.5, 0.5, 0, 0, 0]);
  expect(measureNeighbourLabels(data, labels, { neighbours: 2 }).suspects).toEqual([1]);
  expect(measureNeighbourLabels(fromColumns([Float64Array.of(1)]), ["a"]).mean).toBeNull();
});

describe("the scan for patches", () => {
  const rows = 400;
  const random = randomFrom("images");
  const features = Float32Array.from({ length: rows * 9 }, () => random.uniform());
  const labels = Uint32Array.from({ length: rows }, () => random.below(2));
  const options = { classes: 2, height: 3, width: 3, shapes: [[1, 1], [2, 2]], values: [0, 1] } as const;
  /** Right for every row, unless the lower right corner is exactly 1. */
  const backdoored: ScoreRows = (batch, count) => Float32Array.from({ length: 2 * count }, (_, at) => {
    const row = Math.floor(at / 2);
    const answer = batch[row * 9 + 8] === 1 ? 1 : truth(batch, row);
    return answer === at % 2 ? 1 : 0;
  });
  const clean: ScoreRows = (batch, count) => Float32Array.from({ length: 2 * count }, (_, at) => (truth(batch, Math.floor(at / 2)) === at % 2 ? 1 : 0));

  /** The label of a row is kept in the order of its first two cells, and patches over them do not count. */
  function truth(batch: Float32Array, row: number): number {
    return (batch[row * 9 + 4] ?? 0) > 0.5 ? 1 : 0;
  }
  for (let row = 0; row < rows; row += 1) labels[row] = truth(features, row);

  test("a planted trigger moves every row of other classes, and the scan puts it first", () => {
    const found = scanPatches(features, labels, { ...options, shapes: [[1, 1]], values: [1], score: backdoored });
    const [strongest] = found.toSorted((x, y) => y.flipped / y.n - x.flipped / x.n);
    expect(strongest?.flipped).toBe(strongest?.n);
    expect(scanPatches(new Float32Array(), new Uint32Array(), { ...options, score: clean }).every(({ flipped }) => flipped === 0)).toBe(true);
  });
});
