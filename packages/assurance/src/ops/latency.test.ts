import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { binomialCdf } from "../stats/beta.ts";
import { randomFrom } from "../stats/random.ts";
import { decideLatency, lowerRank, measureLatency, upperRank } from "./latency.ts";

const limit = (value: number, alpha = 0.05) => ({ op: "<=", value, alpha, source: "test" }) as const;

describe("ops.latency", () => {
  test("the ranks are the tightest that hold at their level, whatever the distribution", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 2000 }), fc.constantFrom(0.5, 0.9, 0.95, 0.99), fc.constantFrom(0.05, 0.01), (n, quantile, alpha) => {
      const [low, high] = [lowerRank(n, quantile, alpha), upperRank(n, quantile, alpha)];
      expect({
        lowHolds: low === 0 || binomialCdf(low - 1, n, quantile) <= alpha,
        lowIsTightest: low === n || binomialCdf(low, n, quantile) > alpha,
        highHolds: high > n || binomialCdf(high - 1, n, quantile) >= 1 - alpha,
        highIsTightest: high === 1 || binomialCdf(high - 2, n, quantile) < 1 - alpha,
      }).toEqual({ lowHolds: true, lowIsTightest: true, highHolds: true, highIsTightest: true });
    }));
  });

  test("58 calls cannot bound the 95th percentile, 59 can", () => {
    const calls = (n: number) => measureLatency(new Float64Array(n).fill(10), { quantile: 0.95 }).statistics;
    expect(decideLatency(calls(58), limit(100))).toMatchObject({ verdict: "insufficient_evidence", reason: "too_few", requiredN: 59 });
    expect(decideLatency(calls(59), limit(100)).verdict).toBe("pass");
  });

  test("slow calls fail, and the interval holds the quantile in as many runs as it says", () => {
    const random = randomFrom("latency");
    let missed = 0;
    for (let run = 0; run < 1000; run += 1) {
      const { statistics } = measureLatency(Float64Array.from({ length: 200 }, () => -Math.log(1 - random.uniform())), { quantile: 0.95 });
      const { interval } = decideLatency(statistics, limit(3));
      missed += Number((interval?.upper ?? Infinity) < -Math.log(0.05));
    }
    expect(missed / 1000).toBeLessThanOrEqual(0.065);
    const slow = measureLatency(Float64Array.from({ length: 200 }, (_, index) => index), { quantile: 0.95 }).statistics;
    expect(decideLatency(slow, limit(100)).verdict).toBe("fail");
  });

  test("a call without an answer counts as slower than any limit", () => {
    const calls = Float64Array.from({ length: 200 }, (_, index) => (index < 30 ? Number.NaN : 5));
    const { statistics } = measureLatency(calls, { quantile: 0.95 });
    expect(statistics).toMatchObject({ attempted: 200, assessed: 170 });
    expect(decideLatency(statistics, limit(1000)).verdict).not.toBe("pass");
    expect(decideLatency(measureLatency(new Float64Array(100).fill(Number.NaN), { quantile: 0.95 }).statistics, limit(10)).verdict).toBe("insufficient_evidence");
    expect(decideLatency(measureLatency([], { quantile: 0.95 }).statistics, limit(10)).verdict).toBe("insufficient_evidence");
  });

  test("the record stays small for a million calls, and a smaller error level never passes more easily", () => {
    const random = randomFrom("many");
    const { statistics } = measureLatency(Float64Array.from({ length: 200_000 }, () => random.uniform()), { quantile: 0.99 });
    expect(statistics.order.length).toBeLessThanOrEqual(410);
    const upper = (alpha: number) => decideLatency(statistics, limit(1, alpha)).interval?.upper ?? Infinity;
    expect(upper(0.01)).toBeGreaterThanOrEqual(upper(0.05));
    expect(upper(0.05)).toBeCloseTo(0.99, 2);
  });
});
