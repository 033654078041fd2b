import fc from "fast-check";
import type { AssuranceCheck } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { randomFrom } from "../stats/random.ts";
import { decide } from "../verdict/decide.ts";
import { attemptAlpha, configurationDigest, knownBefore, partsOf, runOfTicket } from "./attempts.ts";

const simulations = Number(process.env["LICET_ATTEMPT_SIMULATIONS"] ?? 2000);
const attemptsEach = 40;
const rows = 200;
const share = 0.1;

/** Whether so many events of `rows` pass a limit that they lie exactly on, at this alpha; each is decided once. */
function passing(alphaOf: (index: number) => number): (index: number, events: number) => boolean {
  const known = new Map<string, boolean>();
  return (index, events) => {
    const key = `${index}/${events}`;
    const verdict = known.get(key) ?? decide({ kind: "columns", columns: [{ name: "a", events, n: rows }] }, { op: "<=", value: share, alpha: alphaOf(index), source: "test" }, { attempted: rows, assessed: rows, unassessed: 0 }).verdict === "pass";
    known.set(key, verdict);
    return verdict;
  };
}

/** Of people who draw new data until it passes, at exactly the limit: how many ever see a pass. */
function everPassed(alphaOf: (index: number) => number): number {
  const random = randomFrom("attempts");
  const passes = passing(alphaOf);
  const draw = (): number => Array.from({ length: rows }, () => random.uniform()).filter((value) => value < share).length;
  const tries = (): boolean => Array.from({ length: attemptsEach }, (_, at) => at + 1).some((index) => passes(index, draw()));
  return Array.from({ length: simulations }, tries).filter(Boolean).length;
}

describe("retrying with new data at exactly the limit", () => {
  test("passes wrongly at most at alpha over all attempts together (binomial bound of the simulation)", () => {
    // A binomial variable of rate alpha exceeds this with less than one chance in ten thousand.
    const most = simulations * 0.05 + 3.8 * Math.sqrt(simulations * 0.05 * 0.95);
    expect(everPassed((index) => attemptAlpha(index))).toBeLessThanOrEqual(most);
  });

  test("would pass most people wrongly at one alpha for every attempt: the simulation can tell", () => {
    expect(everPassed(() => 0.05)).toBeGreaterThan(simulations * 0.5);
  });
});

test("the parts of all attempts never come to more than the whole, and each is smaller than the one before", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 3000 }), fc.double({ min: 1e-6, max: 0.05, noNaN: true }), (count, alpha) => {
      const parts = Array.from({ length: count }, (_, at) => attemptAlpha(at + 1, alpha));
      expect(parts.reduce((sum, part) => sum + part, 0)).toBeLessThan(alpha);
      expect(parts.every((part, at) => at === 0 || part < (parts[at - 1] ?? 0))).toBe(true);
    }),
    { numRuns: 50 },
  );
  expect(attemptAlpha(1)).toBeCloseTo(0.0303963550927, 12);
  expect(attemptAlpha(2)).toBeCloseTo(0.0303963550927 / 4, 12);
  expect(() => attemptAlpha(0)).toThrow(RangeError);
});

const recall = { check: "perf.metric", id: "recall", model: "m", dataset: "test", target: "y", metric: "recall", floor: 0.8 } as const satisfies AssuranceCheck;

test("what a check is called and whether it is demanded is no configuration; everything else is", () => {
  const digest = configurationDigest(recall);
  expect(configurationDigest({ ...recall, id: "other", label: "Other", advisory: true })).toBe(digest);
  expect(configurationDigest({ floor: 0.8, metric: "recall", target: "y", dataset: "test", model: "m", id: "x", check: "perf.metric" })).toBe(digest);
  for (const other of [{ floor: 0.79 }, { threshold: 0.5 }, { dataset: "test2" }, { metric: "accuracy" as const }]) expect(configurationDigest({ ...recall, ...other })).not.toBe(digest);
});

test("the subject is what stays while somebody tries again: the model, the reference of a drift check, the release of a report", () => {
  expect(partsOf(recall)).toEqual({ subject: ["m"], data: ["test"] });
  expect(partsOf({ check: "perf.noninferior", id: "c", model: "m", champion: "old", dataset: "test", target: "y", max: 0.01 } as AssuranceCheck)).toEqual({ subject: ["m"], data: ["old", "test"] });
  expect(partsOf({ check: "drift.numeric", id: "c", dataset: "today", reference: "before", max: 0.2 })).toEqual({ subject: ["before"], data: ["today"] });
  expect(partsOf({ check: "data.missing", id: "c", dataset: "today", max: 0.2 })).toEqual({ subject: ["today"], data: [] });
  expect(partsOf({ check: "import.report", id: "c", report: "garak", format: "garak", max: 0.05 })).toEqual({ subject: "released", data: ["garak"] });
  expect(partsOf({ check: "llm.leak.system", id: "c", model: "gpt", prompt: "main" })).toEqual({ subject: ["gpt"], data: [], prompt: "main" });
  expect(partsOf({ check: "llm.leak.system", id: "c", model: "gpt" })).toEqual({ subject: ["gpt"], data: [], prompt: { any: true } });
});

test("what asks a model of a provider draws data that nobody knows before", () => {
  expect([recall, { check: "llm.utility", id: "c", model: "gpt" } as const].map(knownBefore)).toEqual([true, false]);
});

test("a ticket decides seed, draw, alpha and index of its checks, and of no others", () => {
  const plan = { check: "recall", index: 3, alpha: 0.001, previous: ["a", "b"], repeats: "chk_1", seed: "theirs", drawnAs: "old-name", reads: ["sha256:1"] };
  const { seed, planned } = runOfTicket({ seed: "mine", attempts: [plan], reuse: [{ id: "test", digest: "sha256:1", uses: 4 }, { id: "train", digest: "sha256:2", uses: 9 }] });
  expect(seed).toBe("mine");
  expect(planned(recall)).toEqual({ attempt: { index: 3, alphaSpent: 0.001, previous: ["a", "b"], repeats: "chk_1" }, seed: "theirs", drawnAs: "old-name", reuse: [{ id: "test", digest: "sha256:1", uses: 4 }] });
  expect(planned({ ...recall, id: "other" })).toBeUndefined();
});
