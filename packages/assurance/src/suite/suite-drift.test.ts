import type { CheckResult } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { checkResult } from "../../../../test/unit/support/run-check.ts";
import { rederive } from "../verdict/rederive.ts";

/** A table of `rows` rows: a number around `centre`, a colour, a code with leading zeros, and a cell that is missing every `gap` rows. */
function table(rows: number, { centre = 0, red = 3, gap = 50, seed = 1 }: { centre?: number; red?: number; gap?: number; seed?: number } = {}): string {
  let state = seed;
  const random = () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
  const lines = Array.from({ length: rows }, (_, row) => {
    const value = (random() + random() + random() + centre).toFixed(4);
    return `${row % gap === 0 ? "" : value},${random() * 10 < red ? "red" : "blue"},00${Math.floor(random() * 5)}`;
  });
  return ["amount,colour,code", ...lines].join("\n");
}

const drift = (check: object, { before, now }: { readonly before: string; readonly now: string }) => checkResult({ dataset: "now", reference: "before", ...check }, { before, now });

/** Two numbers that move together in one direction or the other: no single column shows which. */
function tied(rows: number, direction: 1 | -1, seed: number): string {
  let state = seed;
  const random = () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
  return ["a,b", ...Array.from({ length: rows }, () => random() - 0.5).map((value) => `${value.toFixed(4)},${(direction * value + (random() - 0.5) / 4).toFixed(4)}`)].join("\n");
}

const checks = ["drift.numeric", "drift.categorical", "drift.missing"] as const;

describe("drift between two data sets", () => {
  test.each(checks)("%s passes on many rows of the same kind", async (check) => {
    const result = await drift({ check }, { before: table(6000), now: table(6000, { seed: 2 }) });
    expect(result).toMatchObject({ verdict: "pass", inputs: [{ role: "test", rows: 6000 }, { role: "reference", rows: 6000 }] });
  });

  test.each(checks)("%s is insufficient evidence on twenty rows", async (check) => {
    expect((await drift({ check }, { before: table(20), now: table(20, { seed: 2 }) })).verdict).toBe("insufficient_evidence");
  });

  test("two hundred rows say how many it takes", async () => {
    expect((await drift({ check: "drift.numeric" }, { before: table(200), now: table(200, { seed: 2 }) })).requiredN).toBeGreaterThan(400);
  });

  test.each([
    ["drift.numeric", { centre: 2 }],
    ["drift.categorical", { red: 8 }],
    ["drift.missing", { gap: 4 }],
  ])("%s fails where the data have moved", async (check, moved) => {
    expect((await drift({ check }, { before: table(3000), now: table(3000, { ...moved, seed: 2 }) })).verdict).toBe("fail");
  });

  test("codes with leading zeros are compared as categories, and a column that holds text is no number", async () => {
    const tables = { before: table(400), now: table(400, { seed: 2 }) };
    const numeric = await drift({ check: "drift.numeric" }, tables);
    const categorical = await drift({ check: "drift.categorical" }, tables);
    const names = ({ basis }: CheckResult) => (basis.kind === "statistics" ? JSON.stringify(basis.figures).match(/"name":"(\w+)"/gu) : null);
    expect([names(numeric), names(categorical)]).toEqual([['"name":"amount"'], ['"name":"colour"', '"name":"code"']]);
    expect(await drift({ check: "drift.numeric", columns: ["colour"] }, tables)).toMatchObject({ verdict: "errored", error: { code: "table_value_invalid" } });
  });

  test("all columns together: what no single column shows fails, the same rows drawn again pass, and few rows decide nothing", async () => {
    const of = (rows: number, direction: 1 | -1) => drift({ check: "drift.multivariate", max: 0.7 }, { before: tied(rows, 1, 1), now: tied(rows, direction, 2) });
    expect(await of(150, -1)).toMatchObject({ verdict: "fail", inputs: [{ role: "test" }, { role: "reference" }] });
    expect((await drift({ check: "drift.numeric" }, { before: tied(150, 1, 1), now: tied(150, -1, 2) })).verdict).not.toBe("fail");
    expect([(await of(250, 1)).verdict, (await of(15, 1)).verdict]).toEqual(["pass", "insufficient_evidence"]);
    expect(await drift({ check: "drift.multivariate" }, { before: "c\nred", now: "c\nred" })).toMatchObject({ verdict: "errored", error: { code: "table_value_invalid" } });
  });

  test("figures that were changed, or that are of another check, support nothing", async () => {
    const good = await drift({ check: "drift.numeric" }, { before: table(6000), now: table(6000, { seed: 2 }) });
    const bad = await drift({ check: "drift.numeric" }, { before: table(3000), now: table(3000, { centre: 2 }) });
    const forged: readonly CheckResult[] = [
      { ...bad, verdict: "pass" },
      { ...bad, basis: good.basis },
      { ...good, basis: { kind: "statistics", of: "drift.missing", figures: { columns: [] } } },
      { ...good, basis: { kind: "statistics", of: "drift.numeric", figures: {} } },
      { ...good, basis: { kind: "statistics", of: "drift.unknown", figures: { columns: [] } } },
      { ...good, basis: { kind: "statistics", of: "drift.numeric", figures: { columns: [] } } },
    ];
    for (const result of forged) {
      const again = rederive(result);
      expect([again.agrees, again.verdict === "pass"]).toEqual([false, false]);
    }
  });
});
