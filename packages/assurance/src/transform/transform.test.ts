import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomFrom } from "../stats/random.ts";
import { readTable } from "../table/table.ts";
import { TypedTableBuilder } from "../table/typed-table.ts";
import { epsilonOfRho, PrivacyAccountant, rhoOfBudget } from "./accountant.ts";
import { generalise } from "./generalise.ts";
import { discreteGaussian, discreteLaplace, secretNoise } from "./noise-source.ts";
import { noisyCounts, noisySum } from "./noisy-figures.ts";
import { synthesise } from "./synthesise.ts";

const bytes = (columns: readonly string[], rows: readonly (readonly (string | number)[])[]) => new TextEncoder().encode([columns.join(","), ...rows.map((row) => row.join(","))].join("\n"));

describe("generalisation", () => {
  const person = fc.tuple(fc.integer({ min: 0, max: 40 }), fc.constantFrom("a", "b", "c"), fc.constantFrom("x", "y"));

  test("every group of the result has at least k rows and l values, or its rows are left out; nothing else changes", () => {
    fc.assert(
      fc.property(fc.array(person, { minLength: 1, maxLength: 80 }), fc.integer({ min: 1, max: 6 }), (people, k) => {
        const table = readTable(bytes(["age", "place", "illness"], people));
        const { table: result, privacy, loss } = generalise(table, { quasiIdentifiers: ["age", "place"], k, diversity: { column: "illness", l: 2 } });
        expect(result.rows + loss.suppressed).toBe(people.length);
        const empty = result.rows === 0;
        expect(empty ? k : privacy.k).toBeGreaterThanOrEqual(k);
        expect(empty ? 2 : privacy.sensitive[0]?.distinctL).toBeGreaterThanOrEqual(2);
        expect(result.cells("illness").length).toBe(result.rows);
        expect(loss.certaintyPenalty).toBeGreaterThanOrEqual(0);
        expect(loss.certaintyPenalty).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("ranges hold the values they stand for, with k of 1 nothing is lost, and dropped columns are gone", () => {
    const rows = Array.from({ length: 40 }, (_, index) => [index, index % 2 === 0 ? "a" : "b", `n${index}`]);
    const table = readTable(bytes(["age", "place", "name"], rows));
    const exact = generalise(table, { quasiIdentifiers: ["age", "place"], k: 1, drop: ["name"] });
    expect(exact.loss).toMatchObject({ suppressed: 0, certaintyPenalty: 0, groupSizeOverK: 1 });
    expect(exact.table.columns).toEqual(["age", "place"]);
    const coarse = generalise(table, { quasiIdentifiers: ["age"], k: 5 });
    for (const [row, cell] of coarse.table.cells("age").entries()) {
      const [low = 0, high = low] = cell.split("..").map(Number);
      expect(row).toBeGreaterThanOrEqual(low);
      expect(row).toBeLessThanOrEqual(high);
    }
    expect(coarse.loss.groupSizeOverK).toBeLessThan(2);
    expect(coarse.loss.certaintyPenalty).toBeGreaterThan(0);
  });

  test("too few rows are all left out", () => {
    const { table, loss } = generalise(readTable(bytes(["age"], [[1], [2]])), { quasiIdentifiers: ["age"], k: 5 });
    expect([table.rows, loss.suppressed]).toEqual([0, 2]);
  });
});

describe("noise with a budget", () => {
  const typed = (rows: readonly (readonly (string | number)[])[]) => {
    const builder = new TypedTableBuilder({ kinds: { g: "category", v: "number" } });
    builder.push(bytes(["g", "v"], rows));
    return builder.end();
  };

  test("noise has the spread that its price says", () => {
    const random = randomFrom("noise");
    const spread = (draw: () => number) => Math.sqrt(Array.from({ length: 20_000 }, draw).reduce((sum, value) => sum + value * value, 0) / 20_000);
    expect(spread(() => discreteLaplace(10, random))).toBeCloseTo(10 * Math.SQRT2, -0.5);
    expect(spread(() => discreteGaussian(8, random)) / 8).toBeCloseTo(1, 1);
    expect(spread(() => discreteGaussian(0.3, random))).toBeLessThan(0.5);
    const secret = secretNoise();
    expect(Array.from({ length: 5000 }, () => secret.uniform()).every((value) => value >= 0 && value < 1)).toBe(true);
  });

  test("the ratio of two neighbouring counts' probabilities stays within e to the epsilon", () => {
    const random = randomFrom("ratio");
    const epsilon = 1;
    const counts = new Map<number, number>();
    for (let draw = 0; draw < 200_000; draw += 1) {
      const value = discreteLaplace(1 / epsilon, random);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    for (const value of [-2, -1, 0, 1]) expect((counts.get(value) ?? 0) / (counts.get(value + 1) ?? 1)).toBeLessThan(Math.exp(epsilon) * 1.05);
  });

  test("the accountant adds up, takes the smaller of two totals, and refuses what exceeds the budget", () => {
    const accountant = new PrivacyAccountant({ epsilon: 1, delta: 1e-6 });
    expect(accountant.spend({ name: "a", mechanism: "laplace", epsilon: 0.6 })).toEqual({ kind: "spent", left: 0.4 });
    expect(accountant.spend({ name: "b", mechanism: "laplace", epsilon: 0.6 }).kind).toBe("refused");
    expect(accountant.epsilon).toBe(0.6);
    expect(accountant.spend({ name: "c", mechanism: "laplace", epsilon: 0 }).kind).toBe("refused");
    const many = new PrivacyAccountant({ epsilon: 5, delta: 1e-6 });
    for (let query = 0; query < 400; query += 1) expect(many.spend({ name: String(query), mechanism: "laplace", epsilon: 0.02 }).kind).toBe("spent");
    expect(many.epsilon).toBeLessThan(8 * 0.5);
    expect(new PrivacyAccountant({ epsilon: 5, delta: 0 }).spend({ name: "g", mechanism: "gaussian", rho: 0.01 }).kind).toBe("refused");
  });

  test("a budget and its rho are inverse to each other", () => {
    fc.assert(fc.property(fc.double({ min: 0.01, max: 20, noNaN: true }), fc.double({ min: 1e-12, max: 0.1, noNaN: true }), (epsilon, delta) => {
      expect(epsilonOfRho(rhoOfBudget({ epsilon, delta }), delta) / epsilon).toBeCloseTo(1, 9);
    }));
  });

  test("counts and sums come near the truth, only for declared categories and within the declared range, and spend", () => {
    const table = typed(Array.from({ length: 2000 }, (_, index) => [index % 4 === 0 ? "a" : "b", index === 0 ? 1e9 : 10]));
    const accountant = new PrivacyAccountant({ epsilon: 2, delta: 1e-6 });
    const options = { mechanism: { kind: "laplace", epsilon: 1 }, accountant, source: randomFrom("figures") } as const;
    const counts = noisyCounts(table, { column: "g", categories: ["a", "c"] }, options);
    if (counts.kind === "refused") throw new Error(counts.reason);
    expect(counts.figures.map(({ category }) => category)).toEqual(["a", "c"]);
    expect(Math.abs((counts.figures[0]?.count ?? 0) - 500)).toBeLessThan(20);
    const sum = noisySum(table, { column: "v", min: 0, max: 50 }, options);
    if (sum.kind === "refused") throw new Error(sum.reason);
    expect(Math.abs(sum.figures - 20_040)).toBeLessThan(1000);
    expect(sum.loss).toMatchObject({ sensitivity: 50, expectedError: 50 });
    expect(noisyCounts(table, { column: "g", categories: ["a"] }, options).kind).toBe("refused");
  });
});

describe("synthetic tables", () => {
  const random = randomFrom("people");
  const people = Array.from({ length: 4000 }, () => {
    const old = random.uniform() < 0.5;
    return [old ? 40 + random.below(40) : random.below(40), old === random.uniform() < 0.9 ? "yes" : "no", random.uniform() < 0.3 ? "m" : "f"];
  });
  const table = readTable(bytes(["age", "retired", "sex"], people));
  const domains = { age: { kind: "range", min: 0, max: 80, bins: 8, whole: true }, retired: { kind: "categories", values: ["yes", "no"] }, sex: { kind: "categories", values: ["m", "f"] } } as const;

  test("shares and the strongest dependence survive, within the budget", () => {
    const made = synthesise(table, { domains, rows: 4000, budget: { epsilon: 2, delta: 1e-6 }, source: randomFrom("made") });
    if (made.kind === "refused") throw new Error(made.reason);
    expect(made.table.rows).toBe(4000);
    expect(made.edges).toContainEqual(["age", "retired"]);
    expect(made.loss.oneWay).toBeLessThan(0.05);
    expect(made.loss.twoWay).toBeLessThan(0.1);
    expect(made.privacy.epsilon).toBeLessThanOrEqual(2);
    const ages = made.table.cells("age").map(Number);
    const retired = made.table.cells("retired");
    const share = (isOld: boolean) => ages.filter((age, row) => age >= 40 === isOld && retired[row] === "yes").length / ages.filter((age) => age >= 40 === isOld).length;
    expect(share(true)).toBeGreaterThan(share(false) + 0.5);
  });

  test("a smaller budget costs more, and none gives no table", () => {
    const loss = (epsilon: number) => {
      const made = synthesise(table, { domains, rows: 4000, budget: { epsilon, delta: 1e-6 }, source: randomFrom("made") });
      return made.kind === "refused" ? Number.NaN : made.loss.twoWay;
    };
    expect(loss(0.02)).toBeGreaterThan(loss(4));
    expect(loss(0)).toBeNaN();
    expect(synthesise(table, { domains: {}, rows: 10, budget: { epsilon: 1, delta: 1e-6 }, source: randomFrom("x") }).kind).toBe("refused");
  });
});
