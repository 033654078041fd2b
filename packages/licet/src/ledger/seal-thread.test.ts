import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonicalize } from "@licet/evidence";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Entry } from "./entry.ts";
import { openKeyring, type Keyring } from "./keyring.ts";
import { openKeys } from "./keys.ts";
import { openEntry, sealEntry } from "./sealing.ts";

const now = Date.UTC(2026, 10, 21);
const many = 150;
let directory = "";
let keyring: Keyring;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "licet-seal-"));
  const keys = await openKeys({ directory: join(directory, "keys"), fresh: true, now });
  keyring = await openKeyring({ directory: join(directory, "keys"), root: keys.root, clock: { now: () => now } });
});

afterEach(async () => {
  await keyring.close();
  await rm(directory, { recursive: true, force: true });
});

function entry(n: number): Entry {
  const body = { n, text: "ä\u0000\"".repeat(n * 5) };
  return { id: `ent_${n}`, v: 1, time: now, kind: "toy.entry", space: "main", actor: "dep_1", system: `s${n % 3}`, subject: `system:s${n % 3}`, class: "runtime", gateway: "gw_1", seq: n, body };
}

/** The first ones make the keys; those after them come in one burst. */
async function burst(meanwhile: () => void = () => {}) {
  for (const n of [0, 1, 2]) await sealEntry(keyring, entry(n));
  const sealing = Array.from({ length: many }, (_, n) => sealEntry(keyring, entry(n)));
  expect(sealing.some((each) => each instanceof Promise)).toBe(true);
  expect(sealing.some((each) => !(each instanceof Promise))).toBe(true);
  meanwhile();
  return Promise.all(sealing.map(async (each) => each));
}

test("entries of a burst are sealed each by its own key, here or in the thread, and open as what they were", async () => {
  const sealed = await burst();
  for (const [n, { frame, entry: kept }] of sealed.entries()) {
    expect(openEntry(keyring, frame)).toEqual({ ...entry(n), kid: kept.kid });
    expect(kept).toEqual({ ...entry(n), kid: kept.kid, text: canonicalize(entry(n).body) });
  }
  expect(new Set(sealed.map(({ frame }) => Buffer.from(frame.payload.subarray(0, 61)).toString("hex"))).size).toBe(many);
});

test("a key that is retired while the thread works seals nothing that comes back after it", async () => {
  let [before, late]: [Set<string>, number] = [new Set(), 0];
  const sealed = await burst(() => {
    before = new Set(keyring.keysOf("main", "system:s1", { class: "runtime" }));
    keyring.retire([...before]);
  });
  for (const { entry: kept } of sealed.slice(100).filter((_, n) => (n + 100) % 3 === 1)) {
    late += 1;
    expect(before.has(kept.kid ?? "")).toBe(false);
  }
  expect(late).toBeGreaterThan(10);
});
