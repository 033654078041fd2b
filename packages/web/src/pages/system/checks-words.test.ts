import type { CheckFigures, CheckStanding, RecordedCheck } from "@licet/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { askedText, advice, boundText, changes, figureBeside, historyScale, neededText, owed, whyText } from "./checks-words.ts";

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;

function figures(change: Partial<CheckFigures> = {}): CheckFigures {
  return {
    check: "perf.metric",
    subject: { kind: "onnx", id: "model", digest: digest("a") },
    inputs: [{ role: "test", id: "test", digest: digest("b"), rows: 228 }],
    estimate: 0.94,
    unit: "accuracy",
    interval: { method: "clopper-pearson", level: 0.95, sides: 1, lower: 0.91, upper: 0.96 },
    counts: { attempted: 228, assessed: 228, unassessed: 0 },
    limit: { op: ">=", value: 0.9, alpha: 0.05, source: "declared" },
    verdict: "pass",
    attempt: { index: 1, alphaSpent: 0.05, previous: [] },
    ...change,
  };
}

function recorded(change: Partial<RecordedCheck> = {}): RecordedCheck {
  return { id: "chk_1", checkId: "accuracy", release: digest("c"), releaseNumber: 1, ticket: "tkt_1", attempt: 1, producer: "licet", producedBy: "server", provenance: null, counts: true, at: 0, entry: "ent_1", cases: [{ of: "", n: 85 }], carriedFrom: null, repeats: [], figures: figures(), ...change };
}

function standing(id: string, change: Partial<CheckStanding> = {}): CheckStanding {
  return { declared: { id, check: "perf.metric", label: null, advisory: false, components: [], limit: { op: ">=", value: 0.9 } }, standing: "pass", result: recorded({ checkId: id }), results: 1, compared: null, asked: null, ...change };
}

test("a declared limit stands beside what the gate asks for, and one that is laxer says so", () => {
  const asks = (op: "<=" | ">=", own: number, value: number) => askedText(standing("a", { declared: { ...standing("a").declared, limit: { op, value: own } }, asked: { op, value } }));
  expect(askedText(standing("a"))).toBe("");
  expect([asks("<=", 0.1, 0.1), asks("<=", 0.3, 0.1)]).toEqual(["The gate asks for at most 0.1.", "Laxer than the gate asks for: at most 0.1."]);
  expect([asks(">=", 0.9, 0.5), asks(">=", 0.4, 0.5)]).toEqual(["The gate asks for at least 0.5.", "Laxer than the gate asks for: at least 0.5."]);
});

describe("a result in words", () => {
  test("names the bound that decides: the opposite one where it fails", () => {
    expect(boundText(figures())).toBe("Estimate 0.94; with 95 % confidence at least 0.91, and at least 0.9 is asked.");
    expect(boundText(figures({ verdict: "fail", limit: { op: ">=", value: 0.97, alpha: 0.05, source: "" } }))).toBe("Estimate 0.94; with 95 % confidence at most 0.96, and at least 0.97 is asked.");
    expect(boundText(figures({ limit: { op: "<=", value: 0.97, alpha: 0.05, source: "" } }))).toBe("Estimate 0.94; with 95 % confidence at most 0.96, and at most 0.97 is asked.");
  });

  test("says so where nothing was estimated, and where there is no figure", () => {
    expect(boundText(figures({ interval: { method: "census", level: 1, sides: 2, lower: 0.94, upper: 0.94 } }))).toBe("Counted 0.94, nothing is estimated; at least 0.9 is asked.");
    expect(boundText(figures({ estimate: null, interval: null, verdict: "errored" }))).toBe("No figure; at least 0.9 is asked.");
  });

  test("never shows a bound on the limit, or beyond it, that lies before it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99_999 }), fc.double({ min: -1e-3, max: 1e-3, noNaN: true }), (hundredthousandths, by) => {
        const limit = hundredthousandths / 100_000;
        const bound = limit * (1 + by);
        fc.pre(Math.abs(by) > 1e-9);
        expect(Math.sign(Number(figureBeside(bound, limit)) - limit)).toBe(Math.sign(bound - limit));
      }),
    );
  });

  test("says why it is open, how many cases would decide it, and how many there are", () => {
    const open = figures({ verdict: "insufficient_evidence", reason: "too_few", requiredN: 4274 });
    expect(whyText(recorded({ figures: open }))).toBe("Too few cases for a verdict. About 4,274 such cases would decide it; there are 85.");
    expect(neededText({ figures: open, cases: [{ of: "true positive rate", n: 143 }, { of: "false positive rate", n: 85 }] })).toBe("About 4,274 such cases would decide it; there are 143 for the true positive rate and 85 for the false positive rate.");
    expect(neededText({ figures: open, cases: [] })).toBe("About 4,274 such cases would decide it.");
    expect(whyText(recorded())).toBe("");
  });
});

describe("what a release owes", () => {
  const checks = [
    standing("passes"),
    standing("advisory", { declared: { ...standing("advisory").declared, advisory: true }, standing: "missing", result: null }),
    standing("by-self", { result: recorded({ counts: false, producer: "self" }) }),
    standing("aborted", { standing: "aborted" }),
    standing("missing", { standing: "missing", result: null }),
    standing("open", { standing: "insufficient_evidence", result: recorded({ figures: figures({ verdict: "insufficient_evidence", reason: "too_few", requiredN: 757 }) }) }),
    standing("fails", { standing: "fail" }),
  ];

  test("is every demanded check that does not pass by a producer that counts", () => {
    expect(owed(checks).map(({ declared }) => declared.id)).toEqual(["by-self", "aborted", "missing", "open", "fails"]);
  });

  test("is told by what there is to do: run, give more data, or change the release", () => {
    expect(advice(owed(checks), "licet check --on-server")).toEqual([
      "To run, in the folder of licet.yaml, with `licet check --on-server`: by-self, aborted, missing.",
      "Not decided by these data: open. Too few cases for a verdict. About 757 such cases would decide it; there are 85.",
      "Beyond the limit: fails. Change the model or its data, and push a new release.",
    ]);
  });
});

describe("a comparison of two results", () => {
  test("names every difference, and whether a limit became stricter", () => {
    const after = figures({
      estimate: 0.93,
      verdict: "insufficient_evidence",
      limit: { op: ">=", value: 0.92, alpha: 0.05, source: "" },
      subject: { kind: "onnx", id: "model", digest: digest("d") },
      inputs: [{ role: "test", id: "test", digest: digest("e"), rows: 9 }, { role: "reference", id: "train", digest: digest("f"), rows: 9 }],
    });
    expect(changes(figures(), after)).toEqual(["verdict was pass, is insufficient evidence", "estimate −0.01", "limit was at least 0.9, is at least 0.92 (stricter)", "other onnx model", "other test data test", "reference data train added"]);
    expect(changes(after, figures())).toContain("limit was at least 0.92, is at least 0.9 (weaker)");
    expect(changes(figures({ limit: { op: "<=", value: 0.1, alpha: 0.05, source: "" } }), figures({ limit: { op: "<=", value: 0.05, alpha: 0.05, source: "" } }))).toEqual(["limit was at most 0.1, is at most 0.05 (stricter)"]);
  });

  test("of equal results is empty", () => {
    expect(changes(figures(), figures())).toEqual([]);
  });
});

describe("a history", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });

  test("goes from old to new, and shows every interval and limit inside the picture", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(share, share, share, share), { minLength: 1, maxLength: 30 }), (given) => {
        const items = given.map(([a, b, c, value], index) => {
          const [lower, estimate, upper] = [a, b, c].toSorted((x, y) => x - y);
          return recorded({ id: String(index), figures: figures({ estimate: estimate ?? 0, interval: { method: "m", level: 0.95, sides: 1, lower: lower ?? 0, upper: upper ?? 0 }, limit: { op: "<=", value, alpha: 0.05, source: "" } }) });
        });
        const scale = historyScale(items);
        const points = scale?.points ?? [];
        expect(points.map(({ id }) => id)).toEqual(items.map(({ id }) => id).toReversed());
        expect(scale?.from).toBeLessThanOrEqual(Math.min(...given.flat()));
        expect(scale?.to).toBeGreaterThanOrEqual(Math.max(...given.flat()));
        for (const { lower, estimate, upper } of points) expect(lower <= estimate && estimate <= upper).toBe(true);
        for (const [index, { at }] of points.entries()) expect(at).toBeCloseTo((index + 0.5) / points.length);
      }),
      { numRuns: 50 },
    );
  });

  test("without any figure is no picture", () => {
    expect(historyScale([recorded({ figures: figures({ estimate: null, interval: null, verdict: "errored" }) })])).toBeUndefined();
  });
});
