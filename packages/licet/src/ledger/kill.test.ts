import { afterEach, expect, test } from "vitest";
import { killRound } from "./kill-rounds.ts";
import { seeded } from "./log-fixture.ts";
import { newDirectory, removeDirectory } from "./recorder-fixture.ts";
import { tlogOracleAbsent, tlogOraclePresent } from "./tlog-oracle.ts";

let directory = "";
afterEach(() => removeDirectory(directory));

test("a killed server loses nothing that it acknowledged, signs no second history, and rebuilds to the same tables", async () => {
  directory = await newDirectory();
  const random = seeded(5);
  const olds: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    const { acknowledged, losses } = await killRound({ directory, round, acknowledgements: 30 + Math.floor(random() * 300), olds });
    expect(acknowledged).toBeGreaterThan(20);
    expect(losses).toEqual([]);
  }
  expect(olds.length).toBeGreaterThan(0);
}, 120_000);

test.skipIf(tlogOraclePresent)(`the test above did without the independent verifier: ${tlogOracleAbsent}`, () => {
  expect(tlogOraclePresent).toBe(false);
});
