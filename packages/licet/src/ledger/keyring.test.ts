import { createSecretKey, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { manualClock } from "../base/clock.ts";
import { nodeFiles } from "./files.ts";
import { openKeyring, type Keyring } from "./keyring.ts";
import { periodAt, periodEnd } from "./period.ts";
import { seal } from "./secret.ts";

const november = Date.UTC(2026, 10, 21);
const december = Date.UTC(2026, 11, 1);
let directory = "";
let clock = manualClock(november);
let root = createSecretKey(randomBytes(32));
let ring: Keyring;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "licet-keyring-"));
  clock = manualClock(november);
  root = createSecretKey(randomBytes(32));
  ring = await openKeyring({ directory, root, clock });
});
afterEach(async () => {
  await ring.close();
  await rm(directory, { recursive: true, force: true });
});

async function reopen(with_ = root): Promise<void> {
  await ring.close();
  ring = await openKeyring({ directory, root: with_, clock });
}

const file = () => readFile(join(directory, "keyring.jsonl"), "utf8");
const erased = expect.objectContaining({ code: "payload_erased" });

test("runtime and content have a key for each calendar month in UTC, governance one for all time", async () => {
  for (const retention of ["runtime", "content"] as const) {
    const first = await ring.keyFor("main", "system:a", retention, december - 1);
    expect((await ring.keyFor("main", "system:a", retention, Date.UTC(2026, 10, 1))).kid).toBe(first.kid);
    expect((await ring.keyFor("main", "system:a", retention, december)).kid).not.toBe(first.kid);
    expect(ring.ended("main", retention, december - 1)).toEqual([]);
    expect(ring.ended("main", retention, december)).toEqual([first.kid]);
    expect(ring.keysOf("main", "system:a", { class: retention, before: december })).toEqual([first.kid]);
  }
  const kept = await ring.keyFor("main", "system:a", "governance", november);
  expect((await ring.keyFor("main", "system:a", "governance", december)).kid).toBe(kept.kid);
  expect(ring.ended("main", "governance", Number.MAX_SAFE_INTEGER)).toEqual([]);
});

test("a month's name and end agree, whatever was asked before", () => {
  for (const time of [0, december - 1, december, Date.UTC(2024, 1, 29, 23, 59), Date.UTC(2027, 0, 1)]) {
    const name = periodAt(time);
    expect(name).toBe(new Date(time).toISOString().slice(0, 7));
    expect([periodAt(periodEnd(name) - 1), periodAt(periodEnd(name)) === name]).toEqual([name, false]);
  }
});

test("a line from before there were months still opens its key, and belongs to no month", async () => {
  const where = { kid: "kek_old", space: "main", subject: "system:a", class: "runtime" } as const;
  const wrapped = seal(root, randomBytes(32), Buffer.from("kek_old\nmain\nruntime\nsystem:a")).toString("base64");
  await writeFile(join(directory, "keyring.jsonl"), `${JSON.stringify({ ...where, created: 5, wrapped })}\n`);
  await reopen();
  expect(ring.byId("kek_old").subject).toBe("system:a");
  expect(ring.endless("main", "runtime")).toMatchObject([{ kid: "kek_old", created: 5 }]);
  expect((await ring.keyFor("main", "system:a", "runtime")).kid).not.toBe("kek_old");
  expect(ring.ended("main", "runtime", Number.MAX_SAFE_INTEGER)).not.toContain("kek_old");
});

test("a destroyed runtime key has a successor, an erased person's governance key has none", async () => {
  const calls = await ring.keyFor("main", "system:a", "runtime");
  const person = await ring.keyFor("main", "person:per_1", "governance");
  await ring.destroy([calls.kid, person.kid]);
  const check = async () => {
    expect(() => ring.byId(calls.kid)).toThrow(erased);
    expect([ring.isDestroyed(calls.kid), ring.isDestroyed(person.kid)]).toEqual([true, true]);
    expect((await ring.keyFor("main", "system:a", "runtime")).kid).not.toBe(calls.kid);
    await expect(ring.keyFor("main", "person:per_1", "governance")).rejects.toThrow(erased);
  };
  await check();
  await reopen();
  await check();
});

test("a retired key seals nothing more and opens what it sealed", async () => {
  const { kid } = await ring.keyFor("main", "system:a", "runtime");
  ring.retire([kid]);
  expect((await ring.keyFor("main", "system:a", "runtime")).kid).not.toBe(kid);
  expect(ring.byId(kid).kid).toBe(kid);
  expect(ring.keysOf("main", "system:a", { class: "runtime" })).toHaveLength(2);
});

test("keys are destroyed together with the reason, which survives", async () => {
  const kids = [await ring.keyFor("main", "system:a", "runtime"), await ring.keyFor("main", "system:b", "runtime")].map(({ kid }) => kid);
  const why = { erasure: "era_1", space: "main", kind: "payload.erased", body: { keys: kids } };
  await ring.destroy(kids, why);
  await ring.destroy(kids, why);
  await reopen();
  expect(ring.erasures()).toEqual([why]);
  expect(ring.statistics("main").runtime).toMatchObject({ living: 0, destroyed: 2, oldest: null });
});

test("of a destroyed key no file of the directory keeps the wrapped bytes, a leftover of a crash included", async () => {
  const { kid } = await ring.keyFor("main", "system:a", "runtime");
  const before = await file();
  const { wrapped } = JSON.parse(before.split("\n")[0] ?? "");
  await writeFile(join(directory, "keyring.jsonl.tmp"), before);
  await reopen();
  await ring.destroy(kid);
  for (const name of await nodeFiles.list(directory)) expect(await readFile(join(directory, name), "utf8")).not.toContain(wrapped);
  expect(await nodeFiles.list(directory)).toEqual(["keyring.jsonl"]);
});

test("under a new root every living key opens as before, the old root opens none, and new keys are made under it", async () => {
  const one = await ring.keyFor("main", "system:a", "runtime");
  const gone = await ring.keyFor("main", "system:b", "content");
  const pseudonym = await ring.pseudonym("main", "per_1");
  await ring.destroy(gone.kid, { erasure: "era_1", space: "main", kind: "payload.erased", body: {} });
  const next = createSecretKey(randomBytes(32));
  await ring.rewrap(next);
  const later = await ring.keyFor("main", "system:c", "runtime");
  await reopen(next);
  expect(ring.byId(one.kid).key.equals(one.key)).toBe(true);
  expect(ring.byId(later.kid).key.equals(later.key)).toBe(true);
  expect(await ring.pseudonym("main", "per_1")).toBe(pseudonym);
  expect(() => ring.byId(gone.kid)).toThrow(erased);
  expect(ring.erasures()).toHaveLength(1);
  await reopen();
  expect(() => ring.byId(one.kid)).toThrow(expect.objectContaining({ code: "payload_damaged" }));
});

test("an end user's name is hashed under a key of the space, the same each time", async () => {
  const hashed = await ring.hashedName("main", "end-user", "ada@example.org");
  expect(hashed).toMatch(/^[0-9a-f]{32}$/u);
  await reopen();
  expect(await ring.hashedName("main", "end-user", "ada@example.org")).toBe(hashed);
  expect(await ring.hashedName("other", "end-user", "ada@example.org")).not.toBe(hashed);
  expect(await file()).not.toContain("ada@");
});
