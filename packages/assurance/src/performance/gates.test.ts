import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomFrom } from "../stats/random.ts";
import type { Limit } from "../verdict/outcome.ts";
import { calibrationBounds, consistencyP, debiasedError, decideCalibration, measureCalibration } from "./calibration-gate.ts";
import { massBins, expectedCalibrationError } from "./calibration-bins.ts";
import { decideMetric, measureAnswered, measureMean, measureMetric, measureResampled } from "./metric.ts";
import { decideNoninferior, measurePairedAuc, measurePairedMean, measurePairedRate } from "./noninferior.ts";
import { decideSlices, discoveries, measureSlices } from "./slices.ts";

const alpha = 0.05;
const at = (op: Limit["op"], value: number): Limit => ({ op, value, alpha, source: "test" });
const sampling = { seed: "s", alpha };

/** n rows of which a share is right, alternating classes. */
function rightIn(share: number, n: number) {
  const positive = Uint8Array.from({ length: n }, (_, row) => row % 2);
  return { positive, scores: Float64Array.from(positive, (label, row) => (row < share * n ? label : 1 - label)) };
}

function calibrated(n: number, shift = 0) {
  const random = randomFrom(`calibrated ${n} ${shift}`);
  const scores = Float64Array.from({ length: n }, () => 0.1 + 0.8 * random.uniform());
  return { scores, positive: Uint8Array.from(scores, (p) => (random.uniform() < p + shift ? 1 : 0)) };
}

describe("a metric", () => {
  test("of three classes accuracy counts right answers among all of them, and a rate is about the positive one", () => {
    const target = Int32Array.from({ length: 300 }, (_, row) => row % 3);
    const answer = target.map((value, row) => (row < 30 ? (value + 1) % 3 : value));
    const scores = new Float64Array(300).fill(0.5);
    scores[299] = Number.NaN;
    const of = (metric: "accuracy" | "recall" | "precision" | "specificity", answers = answer) => measureAnswered({ scores, target, answer: answers, positive: 2 }, { ...sampling, metric });
    expect(of("accuracy")).toMatchObject({ attempted: 300, assessed: 299, events: 269, n: 299, degenerate: null });
    expect(of("recall")).toMatchObject({ events: 89, n: 99 });
    expect(of("precision")).toMatchObject({ events: 89, n: 99 });
    expect(of("specificity")).toMatchObject({ events: 190, n: 200 });
    // A class that is never answered has every other row right, and nothing was shown.
    const never = target.map((value) => (value === 2 ? 0 : value));
    expect([of("accuracy", never).degenerate, of("specificity", never).degenerate]).toEqual([null, "constant_predictions"]);
  });

  test("passes, fails and stays open by its bounds, and says how many rows would decide", () => {
    const accuracy = (share: number, n: number) => decideMetric(measureMetric(rightIn(share, n), { ...sampling, metric: "accuracy" }), at(">=", 0.8));
    expect(accuracy(0.9, 400)).toMatchObject({ verdict: "pass", estimate: 0.9 });
    expect(accuracy(0.6, 400).verdict).toBe("fail");
    const open = accuracy(0.85, 40);
    expect(open).toMatchObject({ verdict: "insufficient_evidence", reason: "too_few" });
    expect(open.requiredN).toBeGreaterThan(40);
  });

  test.each(["accuracy", "recall", "precision", "specificity", "auc", "log_loss", "brier", "f1", "mcc", "balanced_accuracy", "average_precision"] as const)("`%s` of nothing is never a pass", (metric) => {
    const empty = measureMetric({ positive: new Uint8Array(), scores: new Float64Array() }, { ...sampling, metric });
    for (const limit of [at(">=", 0), at("<=", 1)]) expect(decideMetric(empty, limit).verdict).toBe("insufficient_evidence");
    const blank = measureMetric({ positive: Uint8Array.of(1, 0, 1), scores: new Float64Array(3).fill(Number.NaN) }, { ...sampling, metric });
    for (const limit of [at(">=", 0), at("<=", 1)]) expect(decideMetric(blank, limit).verdict).toBe("insufficient_evidence");
  });

  test("one score for everybody and one class say nothing", () => {
    const flat = { positive: Uint8Array.from({ length: 200 }, (_, row) => row % 2), scores: new Float64Array(200).fill(0.7) };
    const single = { positive: new Uint8Array(200).fill(1), scores: Float64Array.from({ length: 200 }, (_, row) => row / 200) };
    for (const metric of ["accuracy", "recall", "auc", "f1"] as const) {
      for (const rows of [flat, single]) expect(decideMetric(measureMetric(rows, { ...sampling, metric }), at(">=", 0.1)).verdict).not.toBe("pass");
    }
  });

  test("more than one row in twenty without a score is not judged", () => {
    const rows = rightIn(1, 400);
    const scores = rows.scores.map((score, row) => (row % 10 === 0 ? Number.NaN : score));
    expect(decideMetric(measureMetric({ ...rows, scores }, { ...sampling, metric: "accuracy" }), at(">=", 0.5))).toMatchObject({ verdict: "insufficient_evidence", reason: "unassessed_budget" });
  });

  test("losses are judged by their rows, few of them by nothing", () => {
    const rows = calibrated(400);
    const brier = measureMetric(rows, { ...sampling, metric: "brier" });
    expect(decideMetric(brier, at("<=", 0.3)).verdict).toBe("pass");
    expect(decideMetric(brier, at("<=", 0.1)).verdict).toBe("fail");
    expect(decideMetric(measureMean(Float64Array.of(1, 2, 3), { ...sampling, metric: "mae" }), at("<=", 100))).toMatchObject({ verdict: "insufficient_evidence", reason: "too_few", requiredN: 30 });
    expect(decideMetric(measureMean(new Float64Array(100).fill(1), { ...sampling, metric: "mae" }), at("<=", 100))).toMatchObject({ verdict: "insufficient_evidence", reason: "degenerate" });
  });

  test("a model that is nearly sure and was right on every one of 30 rows may still be wrong on a tenth of all", () => {
    const rows = { positive: Uint8Array.from({ length: 30 }, (_, row) => row % 2), scores: Float64Array.from({ length: 30 }, (_, row) => (row % 2 === 1 ? 0.98 : 0.02) + 0.0001 * row) };
    const verdict = (metric: "brier" | "log_loss", limit: number) => decideMetric(measureMetric(rows, { ...sampling, metric }), at("<=", limit));
    expect([verdict("brier", 0.09).verdict, verdict("brier", 0.11).verdict]).toEqual(["insufficient_evidence", "pass"]);
    expect(verdict("brier", 0.02).requiredN).toBeGreaterThan(140);
    expect([verdict("log_loss", 0.3).verdict, verdict("log_loss", 0.6).verdict]).toEqual(["insufficient_evidence", "pass"]);
    const figure = measureMetric(rows, { ...sampling, metric: "brier" });
    if (figure.kind !== "mean" || figure.figure.range === null) throw new TypeError("a loss is a mean within a range");
    const forged = { ...figure, figure: { ...figure.figure, range: { ...figure.figure.range, largest: -1 } } };
    expect(decideMetric(forged, at("<=", 0.11)).reason).toBe("inconsistent_import");
  });

  test("a confident mistake may cost more than a wrong answer does on average", () => {
    const rows = { positive: Uint8Array.from({ length: 60 }, (_, row) => row % 2), scores: Float64Array.from({ length: 60 }, (_, row) => (row === 0 ? 1 : row % 2)) };
    expect(decideMetric(measureMetric(rows, { ...sampling, metric: "log_loss" }), at("<=", 40)).verdict).toBe("pass");
  });

  test("squared errors of 30 rows at their limit pass no more often than declared", () => {
    const random = randomFrom("squared errors");
    const runs = 1500;
    let passes = 0;
    for (let run = 0; run < runs; run += 1) {
      const measured = measureMean(Float64Array.from({ length: 30 }, () => random.normal() ** 2), { seed: `${run}`, alpha, metric: "mae" });
      if (decideMetric(measured, at("<=", 1)).verdict === "pass") passes += 1;
    }
    // 6.8 % with the skewness of the sample alone.
    expect(passes / runs).toBeLessThan(0.0545);
  });

  test("a bootstrap of another alpha than the limit's is no evidence", () => {
    for (const statistics of [measureMetric(calibrated(300), { ...sampling, metric: "f1" }), measureMetric(calibrated(300), { ...sampling, metric: "brier" })]) {
      expect(decideMetric(statistics, { ...at("<=", 1), alpha: 0.01 })).toMatchObject({ verdict: "insufficient_evidence", reason: "inconsistent_import" });
    }
  });

  test("statistics survive JSON and give the same outcome, byte for byte, with the same seed", () => {
    for (const metric of ["accuracy", "auc", "brier", "f1"] as const) {
      const [first, second] = [measureMetric(calibrated(120), { ...sampling, metric }), measureMetric(calibrated(120), { ...sampling, metric })];
      expect(JSON.stringify(second)).toBe(JSON.stringify(first));
      const copy: typeof first = JSON.parse(JSON.stringify(first));
      expect(JSON.stringify(decideMetric(copy, at(">=", 0.4)))).toBe(JSON.stringify(decideMetric(first, at(">=", 0.4))));
      expect(JSON.stringify(first).length).toBeLessThan(1000);
    }
  });

  test("a limit that is no number decides nothing", () => {
    const statistics = measureMetric(rightIn(1, 100), { ...sampling, metric: "accuracy" });
    expect(decideMetric(statistics, at(">=", Number.NaN)).verdict).toBe("insufficient_evidence");
    expect(decideMetric(statistics, { ...at(">=", 0), alpha: 1 }).verdict).toBe("insufficient_evidence");
  });

  test("a regression's R² is bootstrapped", () => {
    const random = randomFrom("r2");
    const values = Float64Array.from({ length: 80 }, () => random.normal());
    const statistics = measureResampled(80, { ...sampling, metric: "r2", statistic: (rows) => rows.reduce((sum, row) => sum + (values[row] ?? 0), 0) / rows.length });
    expect(decideMetric(statistics, at(">=", -1)).verdict).toBe("pass");
    expect(decideMetric(statistics, at(">=", 1)).verdict).toBe("fail");
  });
});

test("of very many rows a random part is resampled, and a claim of another part is refused", () => {
  const values = Float64Array.from({ length: 25_000 }, (_, row) => row % 100);
  const statistics = measureResampled(25_000, { ...sampling, metric: "mean", replicates: 40, statistic: (rows) => rows.reduce((sum, row) => sum + (values[row] ?? 0), 0) / rows.length });
  expect(statistics).toMatchObject({ assessed: 25_000, n: 20_000 });
  expect(decideMetric(statistics, at(">=", 48)).verdict).toBe("pass");
  expect(decideMetric({ ...statistics, assessed: 19_000 }, at(">=", 48)).reason).toBe("inconsistent_import");
});

describe("a challenger", () => {
  const bits = (n: number, wrong: readonly number[]) => Uint8Array.from({ length: n }, (_, row) => (wrong.includes(row) ? 0 : 1));

  test("that errs on the same rows is not inferior; one that errs on many more is", () => {
    const same = measurePairedRate(bits(600, [1, 2, 3]), bits(600, [1, 2, 3]), { metric: "accuracy" });
    expect(decideNoninferior(same, at("<=", 0.01))).toMatchObject({ verdict: "pass", estimate: 0 });
    const worse = measurePairedRate(bits(600, []), bits(600, Array.from({ length: 60 }, (_, row) => row)), { metric: "accuracy" });
    expect(decideNoninferior(worse, at("<=", 0.01)).verdict).toBe("fail");
    expect(decideNoninferior(measurePairedRate(bits(50, []), bits(50, []), { metric: "accuracy" }), at("<=", 0.01)).requiredN).toBeGreaterThan(50);
  });

  test("rows without an answer of either are not compared", () => {
    const answered = measurePairedRate(Uint8Array.of(1, 255, 0, 1), Uint8Array.of(1, 1, 255, 0), { metric: "accuracy" });
    expect(answered).toMatchObject({ attempted: 4, assessed: 2, onlyChampion: 1, onlyChallenger: 0 });
    expect(decideNoninferior(answered, at("<=", 1))).toMatchObject({ verdict: "insufficient_evidence", reason: "unassessed_budget" });
  });

  test("is compared by its AUC only with thirty rows of either class", () => {
    const random = randomFrom("auc");
    const positive = Uint8Array.from({ length: 400 }, (_, row) => row % 2);
    const champion = Float64Array.from(positive, (label) => label + random.normal());
    const challenger = champion.map((score) => score + 0.01 * random.normal());
    expect(decideNoninferior(measurePairedAuc(positive, { champion, challenger }), at("<=", 0.02)).verdict).toBe("pass");
    expect(decideNoninferior(measurePairedAuc(positive, { champion, challenger: champion.map((score, row) => score - (positive[row] ?? 0)) }), at("<=", 0.02)).verdict).toBe("fail");
    expect(decideNoninferior(measurePairedAuc(positive.subarray(0, 40), { champion: champion.subarray(0, 40), challenger: challenger.subarray(0, 40) }), at("<=", 0.02))).toMatchObject({ reason: "too_few", requiredN: 60 });
    expect(decideNoninferior(measurePairedAuc(positive, { champion, challenger: champion }), at("<=", 0.02))).toMatchObject({ verdict: "insufficient_evidence", reason: "degenerate" });
  });

  test("with smaller losses passes, and a limit that points the wrong way decides nothing", () => {
    const random = randomFrom("losses");
    const champion = Float64Array.from({ length: 200 }, () => random.uniform());
    const statistics = measurePairedMean(champion, champion.map((loss) => loss - 0.1 * random.uniform()), { ...sampling, metric: "mae" });
    expect(decideNoninferior(statistics, at("<=", 0.01)).verdict).toBe("pass");
    expect(decideNoninferior(statistics, at(">=", 0.01)).verdict).toBe("insufficient_evidence");
  });
});

describe("calibration", () => {
  test("passes a calibrated model that the plain error would refuse, and fails an overconfident one", () => {
    const good = measureCalibration(calibrated(3000));
    expect(decideCalibration(good, at("<=", 0.05)).verdict).toBe("pass");
    expect(debiasedError(good.bins)).toBeLessThan(expectedCalibrationError(good.bins));
    expect(decideCalibration(measureCalibration(calibrated(3000, 0.1)), at("<=", 0.05)).verdict).toBe("fail");
    expect(decideCalibration(measureCalibration(calibrated(200)), at("<=", 0.05))).toMatchObject({ reason: "too_few", requiredN: 600 });
  });

  test("one class, no rows and scores that are no probabilities are never a pass", () => {
    expect(decideCalibration(measureCalibration({ positive: new Uint8Array(1000), scores: Float64Array.from({ length: 1000 }, (_, row) => row / 1e6) }), at("<=", 0.5))).toMatchObject({ reason: "degenerate" });
    expect(decideCalibration(measureCalibration({ positive: new Uint8Array(), scores: new Float64Array() }), at("<=", 1)).verdict).toBe("insufficient_evidence");
    expect(decideCalibration(measureCalibration({ positive: new Uint8Array(1000), scores: new Float64Array(1000).fill(7) }), at("<=", 1)).verdict).toBe("insufficient_evidence");
  });

  test("bounds lie in order and around the debiased error's neighbourhood", () => {
    fc.assert(
      fc.property(fc.integer({ min: 600, max: 2000 }), fc.double({ min: -0.09, max: 0.09, noNaN: true }), (n, shift) => {
        const { bins } = measureCalibration(calibrated(n, shift));
        const { lower, upper } = calibrationBounds(bins, alpha);
        expect(lower).toBeLessThanOrEqual(upper);
        expect(calibrationBounds(bins, alpha / 5).upper).toBeGreaterThanOrEqual(upper);
        expect(calibrationBounds(bins, alpha / 5).lower).toBeLessThanOrEqual(lower);
      }),
      { numRuns: 20 },
    );
  });

  test("resampling for consistency tells a calibrated model from a shifted one", () => {
    expect(consistencyP(calibrated(1000), { random: randomFrom("c"), replicates: 199 })).toBeGreaterThan(0.02);
    expect(consistencyP(calibrated(1000, 0.09), { random: randomFrom("c"), replicates: 199 })).toBe(1 / 200);
    expect(expectedCalibrationError(massBins(calibrated(1000), 15))).toBeGreaterThan(0.02);
  });
});

describe("slices", () => {
  const random = randomFrom("slices");
  const codes = (values: number) => Int32Array.from({ length: 4000 }, () => random.below(values));
  const columns = [
    { name: "city", values: ["x", "y", "z"], codes: codes(3) },
    { name: "kind", values: ["p", "q"], codes: codes(2) },
    { name: "noise", values: ["0", "1", "2", "3"], codes: codes(4) },
  ];
  // Errors pile up where city is z and kind is q.
  const right = Uint8Array.from({ length: 4000 }, (_, row) => (random.uniform() < (columns[0]?.codes[row] === 2 && columns[1]?.codes[row] === 1 ? 0.6 : 0.95) ? 1 : 0));

  test("the search finds a planted weakness and confirms it on rows that it did not see", () => {
    const found = discoveries(measureSlices({ right, columns }, { seed: "a", declared: [] }).discovered);
    expect(found[0]?.name).toBe("city=z and kind=q");
    expect((found[0]?.events ?? 0) / (found[0]?.n ?? 1)).toBeLessThan(0.7);
  });

  test("without a weakness little is confirmed", () => {
    const even = Uint8Array.from({ length: 4000 }, () => (random.uniform() < 0.9 ? 1 : 0));
    const confirmed = Array.from({ length: 20 }, (_, run) => discoveries(measureSlices({ right: even, columns }, { seed: `e${run}`, declared: [] }).discovered).length);
    expect(confirmed.filter((count) => count > 0).length).toBeLessThanOrEqual(6);
  });

  test("declared slices must all hold; one that breaks fails, an unknown one leaves it open, none decides nothing", () => {
    const decided = (values: readonly string[]) => decideSlices(measureSlices({ right, columns }, { seed: "a", declared: values.map((value) => [{ column: "city", value }]) }), at(">=", 0.85));
    expect(decided(["x", "y"]).verdict).toBe("pass");
    expect(decided(["x", "y", "z"]).verdict).toBe("fail");
    expect(decided(["x", "nowhere"])).toMatchObject({ verdict: "insufficient_evidence", reason: "undefined_denominator" });
    expect(decided([])).toMatchObject({ verdict: "insufficient_evidence", reason: "degenerate" });
  });
});
