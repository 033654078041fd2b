import { createSecretKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatVkey, fromBase64, parseTrust, predicateType, statementType, verifyStatement, verifyTrustedCheckpoint } from "@licet/evidence";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { manualClock } from "../base/clock.ts";
import { signCheckpoint } from "./checkpoint.ts";
import { openKeyring } from "./keyring.ts";
import { saveKeysFile } from "./keys-file.ts";
import { listKeys, protectKeys } from "./keys-list.ts";
import { exportKeys, importKeys, keysDirectory, openKeys } from "./keys.ts";
import { seal } from "./secret.ts";

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

/** As version 1 wrote it, with a secret that it sealed. */
async function writeVersion1() {
  const pkcs8 = () => generateKeyPairSync("ed25519").privateKey.export({ format: "der", type: "pkcs8" }).toString("base64");
  const root = randomBytes(32);
  const file = { v: 1, origin: "licet.internal/log/00aa", created: now, log: pkcs8(), statement: pkcs8(), root: root.toString("base64") } as const;
  await saveKeysFile(directory, file);
  const sealed = seal(createSecretKey(root), Buffer.from("sk-old"), Buffer.from("licet secret v1\nprovider:acme")).toString("base64");
  return { file, sealed };
}

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
    const mldsa = formatVkey({ name: keys.origin, publicKey: keys.log.cosignerKey ?? new Uint8Array(), type: "ml-dsa-44" });
    expect(keys.trustFile().log).toEqual([formatVkey({ name: keys.origin, publicKey: keys.log.publicKey }), mldsa]);
    const shard = `${keys.origin}/2-0123abcd`;
    expect(parseTrust(JSON.stringify(keys.trustFile({ shards: [shard] })))).toMatchObject({ ok: true, value: { logs: [{ origin: keys.origin }, { origin: shard }] } });
  });

  test("sign checkpoints with Ed25519 and ML-DSA-44, each shard's under its own name", async () => {
    const keys = await openKeys({ directory, fresh: true, now, clock });
    for (const origin of [keys.origin, `${keys.origin}/2-0123abcd`]) {
      const trust = parseTrust(JSON.stringify(keys.trustFile({ shards: [`${keys.origin}/2-0123abcd`] })));
      const note = await signCheckpoint({ ...keys.log, origin }, { size: 7, root: new Uint8Array(32).fill(9) });
      const checked = trust.ok ? await verifyTrustedCheckpoint(note, trust.value) : trust;
      expect(checked).toMatchObject({ ok: true, value: { origin, size: 7, mldsa: "verified" } });
      const other = note.replace("\n7\n", "\n8\n");
      expect(trust.ok ? await verifyTrustedCheckpoint(other, trust.value) : trust).toMatchObject({ ok: false });
    }
  });

  test("of version 1 become version 2 in place: same signatures, same secrets, one key more; cut off, they stay as they were", async () => {
    const { file, sealed } = await writeVersion1();
    const path = join(directory, "keys.json");
    // A crash after the new file was written and before it got its name: the start finds the old one and a leftover.
    await writeFile(`${path}.tmp`, "{", { mode: 0o600 });
    expect((await listKeys(directory)).map(({ role }) => role)).toEqual(["log", "statement", "root"]);
    const keys = await openKeys({ directory, fresh: false, now: now + 5 });
    expect(keys.origin).toBe(file.origin);
    expect(keys.openSecret("provider:acme", sealed)).toBe("sk-old");
    expect(keys.openSecret("provider:acme", keys.sealSecret("provider:acme", "sk-new"))).toBe("sk-new");
    expect(keys.root.equals(createSecretKey(Buffer.from(file.root, "base64")))).toBe(true);
    expect(keys.trustFile().statementKeys).toEqual([{ keyid: keys.statementKeyId, publicKey: expect.any(String), notBefore: now }]);
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ v: 2, created: now, "log-mldsa": { created: now + 5 } });
    const again = await openKeys({ directory, fresh: false, now: now + 9 });
    expect(again.trustFile()).toEqual(keys.trustFile());
  });

  test("under a passphrase are sealed in their file, and open with it alone", async () => {
    const keys = await make();
    const plain = JSON.parse(await readFile(join(directory, "keys.json"), "utf8"));
    await expect(protectKeys(directory, { to: { kind: "passphrase", passphrase: "short" }, current: {}, now })).rejects.toMatchObject({ code: "keys_passphrase" });
    await protectKeys(directory, { to: { kind: "passphrase", passphrase: "correct horse battery" }, current: {}, now });
    const text = await readFile(join(directory, "keys.json"), "utf8");
    for (const { secret } of [plain.root, plain.log, plain.statement, plain["log-mldsa"], plain.secrets[0]]) expect(text).not.toContain(secret);
    const open = (passphrase?: string) => openKeys({ directory, fresh: false, now, means: passphrase === undefined ? {} : { passphrase: async () => passphrase } });
    await expect(open()).rejects.toMatchObject({ code: "keys_locked" });
    await expect(open("correct horse batterz")).rejects.toMatchObject({ code: "keys_passphrase" });
    expect((await open("correct horse battery")).trustFile()).toEqual(keys.trustFile());
    await protectKeys(directory, { to: { kind: "none" }, current: { passphrase: async () => "correct horse battery" }, now });
    expect((await open()).trustFile()).toEqual(keys.trustFile());
  });

  test("that were exchanged or mixed up in their file are refused", async () => {
    await make();
    const path = join(directory, "keys.json");
    const file = JSON.parse(await readFile(path, "utf8"));
    for (const changed of [{ ...file, log: { ...file.log, secret: file.statement.secret } }, { ...file, statement: file.log, log: { ...file.statement, publicKey: file.log.publicKey } }, { ...file, root: { ...file.root, secret: file.secrets[0].secret } }]) {
      await writeFile(path, JSON.stringify(changed));
      await expect(openKeys({ directory, fresh: false, now })).rejects.toMatchObject({ code: "keys_missing" });
    }
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

  test("forgets a destroyed key for ever, and what a pseudonym stood for with its subject", async () => {
    const keys = await make();
    const ring = await openKeyring({ directory, root: keys.root, clock });
    const { kid } = await ring.keyFor("main", "person:per_1", "governance");
    const kept = await ring.keyFor("main", "person:per_2", "governance");
    const pseudonym = await ring.pseudonym("main", "per_1");
    expect(pseudonym).toMatch(/^[0-9a-f]{64}$/);
    expect(await ring.pseudonym("other", "per_1")).not.toBe(pseudonym);
    const wrapped = (await readFile(join(directory, "keyring.jsonl"), "utf8")).split("\n")[0] ?? "";
    for (const id of ring.keysOf("main", "person:per_1")) await ring.destroy(id);
    expect(await readFile(join(directory, "keyring.jsonl"), "utf8")).not.toContain(JSON.parse(wrapped).wrapped);
    const check = async (of: typeof ring) => {
      expect(() => of.byId(kid)).toThrow(expect.objectContaining({ code: "payload_erased" }));
      await expect(of.keyFor("main", "person:per_1", "governance")).rejects.toMatchObject({ code: "payload_erased" });
      expect(await of.pseudonym("main", "per_1")).not.toBe(pseudonym);
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
