import { expect, test } from "vitest";
import { isFresh, proofs, readRecord } from "../../scripts/proofs/all.ts";
import { during } from "../../scripts/proofs/proof.ts";

/** Seconds for each stale proof: about twenty for all, or a minute for each with LICET_PROOF_SLICE=1. */
const sliceSeconds = process.env["LICET_PROOF_SLICE"] === "1" ? 60 : 18 / proofs.length;

test("proofs have names of their own", () => {
  expect(new Set(proofs.map(({ name }) => name)).size).toBe(proofs.length);
});

for (const proof of proofs) {
  test(`the long run of \`${proof.name}\` is on record, and what it covers has not changed or still holds in a slice`, async ({ skip }) => {
    const record = readRecord(proof.name);
    expect(record).toMatchObject({ name: proof.name, covers: proof.covers, promise: proof.promise, losses: [] });
    expect(Object.values(record?.figures ?? {}).some((count) => count > 0)).toBe(true);
    if (isFresh(proof, record)) return;
    const whyNot = proof.whyNot?.();
    skip(whyNot !== undefined, `${proof.name} is stale, and cannot be run here: ${whyNot}`);
    // Another seed than the record's, so that slices of many runs look at many places.
    const { losses, figures } = await proof.run({ seed: Math.floor(Date.now() / 1000), goOn: during(sliceSeconds * 1000) });
    expect(losses, `${proof.name} is stale: run \`npm run proof -- ${proof.name}\``).toEqual([]);
    expect(Object.values(figures).some((count) => count > 0)).toBe(true);
  }, 180_000);
}
