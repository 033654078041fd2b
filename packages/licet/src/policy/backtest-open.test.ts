import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonicalize } from "@licet/evidence";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { JsonObject } from "../ledger/entry.ts";
import { openKeyring, type Keyring } from "../ledger/keyring.ts";
import { openKeys } from "../ledger/keys.ts";
import { sealEntry } from "../ledger/sealing.ts";
import { openPayload } from "./backtest-open.ts";

const now = Date.UTC(2026, 10, 21);
let directory = "";
let keyring: Keyring;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "licet-open-"));
  const keys = await openKeys({ directory: join(directory, "keys"), fresh: true, now });
  keyring = await openKeyring({ directory: join(directory, "keys"), root: keys.root, clock: { now: () => now } });
});

afterAll(async () => {
  await keyring.close();
  await rm(directory, { recursive: true, force: true });
});

async function opened(body: JsonObject) {
  const { frame, entry } = await sealEntry(keyring, { id: "ent_1", v: 1, time: now, kind: "gateway.decision", space: "main", actor: "dep_1", system: "s", subject: "system:s", class: "runtime", body });
  return { ...openPayload((kid) => (kid === entry.kid ? keyring.byId(kid) : undefined), frame) };
}

const hard = fc.oneof(fc.string({ unit: "binary" }).filter((text) => text.isWellFormed()), fc.constantFrom('"', "\\", '\\"', '"cedar":{', '}"', "{[", ']},"cedar":{"a":1}'));
const value = fc.jsonValue({ maxDepth: 4, stringUnit: "binary" });

test("the question comes out of every decision as it stands there, and the rest without it, whatever both say", async () => {
  const body = fc.record({ aside: fc.oneof(value, fc.record({ cedar: fc.record({ x: hard }) })), cedar: fc.dictionary(hard, value), code: hard, id: fc.constant("dec_1") });
  await fc.assert(
    fc.asyncProperty(body, async (decision) => {
      const whole: JsonObject = JSON.parse(JSON.stringify(decision));
      const { asked = "", body: rest, kind, system } = await opened(whole);
      expect(canonicalize(JSON.parse(asked))).toBe(canonicalize(whole["cedar"]));
      expect({ ...rest, cedar: null }).toEqual({ ...whole, cedar: null });
      expect([kind, system]).toEqual(["gateway.decision", "s"]);
    }),
    { numRuns: 300 },
  );
});

test("a decision without a question has none", async () => {
  for (const cedar of [null, undefined]) {
    const { asked, body } = await opened(cedar === undefined ? { id: "dec_1" } : { id: "dec_1", cedar });
    expect(asked).toBeUndefined();
    expect(body["id"]).toBe("dec_1");
  }
});
