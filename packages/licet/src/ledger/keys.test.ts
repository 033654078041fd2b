import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatVkey, fromBase64, parseTrust, predicateType, statementType, verifyStatement } from "@licet/evidence";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { manualClock } from "../base/clock.ts";
import { openKeyring } from "./keyring.ts";
import { exportKeys, importKeys, keysDirectory, openKeys } from "./keys.ts";

const now = Date.UTC(2026, 10, 1);
const clock = manualClock(now);
let root = "";
let directory = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "licet-keys-"));
  directory = join(root, "deep", "keys");
});
afterEach(() => rm(root, { recursive: true, force: true }));

const make = () => openKeys({ directory, fresh: true, now });

describe("keys", () => {
  test("are made at the first start, for their owner alone, and are the same ones afterwards", async () => {
    const first = await make();
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, "keys.json"))).mode & 0o777).toBe(0o600);
    const again = await openKeys({ directory, fresh: false, now: now + 1 });
    expect(again.trustFile()).toEqual(first.trustFile());
  });

  test("are never made for a data directory that is not new", async () => {
    await expect(openKeys({ directory, fresh: false, now })).rejects.toMatchObject({ code: "keys_missing" });
    await expect(stat(directory)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("that others can read are refused", async () => {
    await make();
    await chmod(join(directory, "keys.json"), 0o640);
    await expect(openKeys({ directory, fresh: false, now })).rejects.toMatchObject({ code: "keys_exposed" });
  });

  test("that do not parse are refused and stay as they are, without a word of them in the error", async () => {
    await make();
    const path = join(directory, "keys.json");
    const text = (await readFile(path, "utf8")).slice(0, -20);
    await writeFile(path, text);
    const failure = await openKeys({ directory, fresh: true, now }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "keys_missing", cause: undefined });
    expect(await readFile(path, "utf8")).toBe(text);
  });

  test("lie in the user's configuration unless LICET_KEYS says otherwise, apart for each data directory", () => {
    const of = (dataDirectory: string, env: Record<string, string>) => keysDirectory({ dataDirectory, env });
    expect(of("/d/one", { HOME: "/h" })).toMatch(/^\/h\/\.config\/licet\/keys\/[0-9a-f]{16}$/);
    expect(of("/d/one", { HOME: "/h" })).not.toBe(of("/d/two", { HOME: "/h" }));
    expect(of("/d/one", { HOME: "/h", LICET_KEYS: "/k" })).toBe("/k");
  });

  test("give a trust file that the verifier takes, and statements that verify under it", async () => {
    const keys = await make();
    const trust = parseTrust(JSON.stringify(keys.trustFile()));
    expect(trust).toMatchObject({ ok: true, value: { origin: keys.origin } });
    const publicKey = fromBase64(keys.trustFile().statementKeys[0]?.publicKey ?? "");
    const signers = [{ keyid: keys.statementKeyId, publicKey: publicKey.ok ? publicKey.value : new Uint8Array() }];
    const statement = { _type: statementType, subject: [{ digest: { sha256: "a".repeat(64) } }], predicateType: predicateType("test"), predicate: { n: 1 } } as const;
    const envelope = keys.signStatement(statement);
    expect(await verifyStatement(envelope, signers)).toMatchObject({ ok: true, value: { statement } });
    const forged = { ...envelope, payload: keys.signStatement({ ...statement, predicate: { n: 2 } }).payload };
    expect(await verifyStatement(forged, signers)).toMatchObject({ ok: false });
    expect(keys.trustFile().log).toEqual([formatVkey({ name: keys.origin, publicKey: keys.log.publicKey })]);
  });

  test("open a secret for its purpose only", async () => {
    const keys = await make();
    const sealed = keys.sealSecret("provider:acme", "sk-123");
    expect(sealed).not.toContain("sk-123");
    expect(keys.openSecret("provider:acme", sealed)).toBe("sk-123");
    expect(() => keys.openSecret("provider:other", sealed)).toThrow(expect.objectContaining({ code: "payload_damaged" }));
  });

  test("and the keyring come back from an export with its passphrase, and with no other", async () => {
    const keys = await make();
    const ring = await openKeyring({ directory, root: keys.root, clock });
    const { kid } = await ring.keyFor("main", "system:a", "runtime");
    await ring.close();
    const text = await exportKeys(directory, "correct horse battery");
    const target = join(root, "other");
    await expect(importKeys(target, text, "correct horse batterz")).rejects.toMatchObject({ code: "keys_passphrase" });
    await expect(importKeys(target, text.replace("sealed\":\"", "sealed\":\"AAAA"), "correct horse battery")).rejects.toMatchObject({ code: "keys_passphrase" });
    await expect(importKeys(directory, text, "correct horse battery")).rejects.toMatchObject({ code: "conflict" });
    await importKeys(target, text, "correct horse battery");
    const restored = await openKeys({ directory: target, fresh: false, now });
    expect(restored.trustFile()).toEqual(keys.trustFile());
    const again = await openKeyring({ directory: target, root: restored.root, clock });
    expect(again.byId(kid).subject).toBe("system:a");
    await again.close();
    await expect(exportKeys(directory, "short")).rejects.toMatchObject({ code: "keys_passphrase" });
  });
});

describe("the keyring", () => {
  test("keeps one key per space, subject and class, on disk before it is used", async () => {
    const keys = await make();
    const ring = await openKeyring({ directory, root: keys.root, clock });
    const made = await Promise.all(["a", "a", "b"].map((name) => ring.keyFor("main", `system:${name}`, "runtime")));
    const other = await ring.keyFor("other", "system:a", "runtime");
    const governance = await ring.keyFor("main", "system:a", "governance");
    expect(made[0]?.kid).toBe(made[1]?.kid);
    expect(new Set([...made, other, governance].map(({ kid }) => kid)).size).toBe(4);
    const file = await readFile(join(directory, "keyring.jsonl"), "utf8");
    expect(file.trimEnd().split("\n")).toHaveLength(4);
    for (const { kid } of made) expect(file).toContain(kid);
    await ring.close();
  });

  test("cuts off a torn last line, and refuses damage before it", async () => {
    const keys = await make();
    const open = () => openKeyring({ directory, root: keys.root, clock });
    const ring = await open();
    const { kid } = await ring.keyFor("main", "space", "governance");
    await ring.close();
    const path = join(directory, "keyring.jsonl");
    const whole = await readFile(path, "utf8");
    await writeFile(path, `${whole}{"kid":"kek_x","spa`);
    const again = await open();
    expect(again.byId(kid).subject).toBe("space");
    await again.keyFor("main", "system:next", "governance");
    await again.close();
    const third = await open();
    expect(third.keysOf("main", "system:next")).toHaveLength(1);
    await third.close();
    await writeFile(path, `x${whole}`);
    await expect(open()).rejects.toMatchObject({ code: "data_damaged" });
  });

  test("forgets a destroyed key for ever, and the pseudonym with its subject", async () => {
    const keys = await make();
    const ring = await openKeyring({ directory, root: keys.root, clock });
    const { kid } = await ring.keyFor("main", "person:per_1", "runtime");
    const kept = await ring.keyFor("main", "person:per_2", "runtime");
    const pseudonym = await ring.pseudonym("main", "per_1");
    expect(pseudonym).toMatch(/^[0-9a-f]{64}$/);
    expect(await ring.pseudonym("other", "per_1")).not.toBe(pseudonym);
    const wrapped = (await readFile(join(directory, "keyring.jsonl"), "utf8")).split("\n")[0] ?? "";
    for (const id of ring.keysOf("main", "person:per_1")) await ring.destroy(id);
    expect(await readFile(join(directory, "keyring.jsonl"), "utf8")).not.toContain(JSON.parse(wrapped).wrapped);
    const check = async (of: typeof ring) => {
      expect(() => of.byId(kid)).toThrow(expect.objectContaining({ code: "payload_erased" }));
      await expect(of.keyFor("main", "person:per_1", "runtime")).rejects.toMatchObject({ code: "payload_erased" });
      await expect(of.pseudonym("main", "per_1")).rejects.toMatchObject({ code: "payload_erased" });
      expect(of.byId(kept.kid).subject).toBe("person:per_2");
      expect(() => of.byId("kek_never")).toThrow(expect.objectContaining({ code: "keys_missing" }));
    };
    await check(ring);
    await ring.close();
    const again = await openKeyring({ directory, root: keys.root, clock });
    await check(again);
    await again.close();
  });
});
