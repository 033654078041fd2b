import { afterAll, beforeAll, expect, test } from "vitest";
import { fuzzCase } from "../../scripts/proofs/gateway-fuzz/case.ts";
import { openWorld, type World } from "../../scripts/proofs/gateway-fuzz/ways.ts";

/** So many cases a run; `npm run proof -- gateway-fuzz` goes on for as long as it is told to. */
const cases = 350;
const first = 10_000;

let world: World;

beforeAll(() => {
  world = openWorld();
});

afterAll(() => world.close());

test("of requests and answers that are split, encoded or broken at random nothing leaves that must not, and nothing fails", async () => {
  const total: Record<string, number> = {};
  const lost: string[] = [];
  for (let seed = first; seed < first + cases; seed++) {
    const { figures, losses } = await fuzzCase(world, seed);
    for (const [what, count] of Object.entries(figures)) total[what] = (total[what] ?? 0) + count;
    lost.push(...losses);
  }
  expect(lost).toEqual([]);
  // What was never tried would hold by itself.
  const rare = ["sockets", "planted", "asked", "streams", "refusedRequests", "brokenStreams", "completed", "restored", "undeclaredTools"].filter((what) => (total[what] ?? 0) < 3);
  expect(rare).toEqual([]);
});
