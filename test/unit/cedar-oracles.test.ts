import { expect, test } from "vitest";
import { runAreas } from "../../scripts/oracles/cedar-areas.ts";
import { during } from "../../scripts/proofs/proof.ts";

const sliceMilliseconds = 3000;
/** Another one every second, so that many runs look at many places. */
const seed = Math.floor(Date.now() / 1000) % 100_000_000;

test("random policies, requests, entities and schemas, the domain policies and edge values get the same answers as from cedar-wasm", async () => {
  const { tallies, deaths } = await runAreas({ seed, goOn: during(sliceMilliseconds) });
  for (const { area, matched, total, mismatches } of tallies) {
    expect({ seed, mismatches }).toEqual({ seed, mismatches: [] });
    expect({ area, matched }).toEqual({ area, matched: total });
  }
  const said = new Set(tallies.flatMap(({ outcomes }) => [...outcomes.keys()]));
  expect([...said].filter((each) => each.startsWith("allow") || each.startsWith("deny"))).not.toEqual([]);
  expect(deaths).toBe(0);
});
