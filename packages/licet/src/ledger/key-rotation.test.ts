import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatVkey, keysAt, parseTrust, type Trust, type TrustFile, verifyStatement, verifyTrustedCheckpoint } from "@licet/evidence";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ManualClock, manualClock } from "../base/clock.ts";
import type { Draft } from "./entry.ts";
import type { KeyMeans } from "./key-protection.ts";
import { finishRotation, rotateKey, type RotationParts } from "./key-rotation.ts";
import { openKeyring } from "./keyring.ts";
import { openKeys, saveKeySet } from "./keys.ts";
import { keyRoles } from "./keys-file.ts";
import { protectKeys } from "./keys-list.ts";
import { awsSigningKey, gcpWrappingKey, pretendKms } from "./kms-fixture.ts";
import { openLog } from "./log.ts";
import type { Recorder } from "./recorder.ts";
import { openEntry, sealEntry } from "./sealing.ts";

let root = "";
let clock: ManualClock;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "licet-rotation-"));
  clock = manualClock(Date.UTC(2026, 10, 1));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const directory = () => join(root, "keys");

interface Opened extends RotationParts {
  readonly recorder: Pick<Recorder, "commit">;
  close(): Promise<void>;
}

/** The record without its database, which a rotation does not touch: real keys, keyring and log, opened as a server does. */
async function open(means: KeyMeans = {}): Promise<Opened> {
  clock.advance(1000);
  const keys = await openKeys({ directory: directory(), fresh: true, now: clock.now(), clock, means });
  const keyring = await openKeyring({ directory: directory(), root: keys.root, clock });
  const log = await openLog({ folder: join(root, "log"), signer: keys.log, memories: [keys.memory], publishEvery: 0 });
  const close = async () => {
    await keyring.close();
    await log.close();
  };
  if (await finishRotation({ keys, keyring, log, clock })) {
    await close();
    return open(means);
  }
  let entries = log.size;
  const append = async (draft: Draft, time: number) => {
    const sealed = await sealEntry(keyring, { ...draft, id: `ent_${(entries += 1)}`, v: 1, time });
    await log.append(sealed.frame);
  };
  const commit: Recorder["commit"] = async (work) => {
    const time = clock.now();
    // @ts-expect-error a rotation reads no rows, so there is no transaction to give
    const answer = await work(undefined, time);
    if ("nothing" in answer) return { value: answer.nothing };
    await append(answer.entry, time);
    return { value: answer.value };
  };
  return { keys, keyring, log, clock, recorder: { commit }, close };
}

/** An entry with a statement that the statement key of its time has signed. */
async function record({ recorder, keys }: Opened, n: number): Promise<void> {
  clock.advance(1000);
  const { payloadType, payload, signatures } = keys.signStatement({ _type: "https://in-toto.io/Statement/v1", subject: [{ digest: { sha256: "a".repeat(64) } }], predicateType: "https://licet.dev/predicate/test/v1", predicate: { n } });
  const statement = { payloadType, payload, signatures: signatures.map((each) => ({ ...each })) };
  await recorder.commit(async () => ({ entry: { kind: "test.said", space: "main", actor: "per_ada", subject: "space", class: "governance", body: { n, statement } }, value: undefined }));
}

function parsed(file: TrustFile): Trust {
  const trust = parseTrust(JSON.stringify(file));
  if (!trust.ok) throw new Error(trust.message);
  return trust.value;
}

/** Every entry opens, its statement holds under the keys of its time, and so does the checkpoint over all; answers the key history. */
async function expectWhole({ log, keyring, keys }: Opened): Promise<readonly unknown[]> {
  const trust = parsed(keys.trustFile());
  const history: unknown[] = [];
  for await (const frame of log.scan(0)) {
    const { kind, time, body } = openEntry(keyring, frame);
    expect(await verifyStatement(body["statement"], keysAt(trust, time))).toMatchObject({ ok: true });
    if (kind === "key.rotated") history.push(body["statement"]);
  }
  expect(await verifyTrustedCheckpoint(await log.publish(), trust)).toMatchObject({ ok: true, value: { size: log.size, mldsa: "verified" } });
  return history;
}

const cuts = ["before the new key is written", "after the new key is written", "before the entry", "after the entry", "at the checkpoint", "before the keyring", "after the keyring", "before the new key takes over", "after the new key takes over"] as const;
type Cut = (typeof cuts)[number];
const announced = (cut: Cut) => cuts.indexOf(cut) >= cuts.indexOf("after the entry");

async function around<T>(cut: boolean, run: () => Promise<T>, cutAfter: boolean): Promise<T> {
  if (cut) throw new Error("cut");
  const value = await run();
  if (cutAfter) throw new Error("cut");
  return value;
}

function within<T extends object, K extends keyof T>(target: T, name: K, replacement: T[K]): T {
  return new Proxy(target, {
    get: (of, key) => {
      if (key === name) return replacement;
      const value: unknown = Reflect.get(of, key, of);
      return typeof value === "function" ? value.bind(of) : value;
    },
  });
}

/** The same parts, dead at one step as if the process had ended there. */
function cutAt(parts: Opened, cut: Cut): Opened {
  let saves = 0;
  return {
    ...parts,
    recorder: { commit: (work) => around(cut === "before the entry", () => parts.recorder.commit(work), cut === "after the entry") },
    log: within(parts.log, "publish", () => around(cut === "at the checkpoint", () => parts.log.publish(), false)),
    keyring: within(parts.keyring, "rewrap", (next) => around(cut === "before the keyring", () => parts.keyring.rewrap(next), cut === "after the keyring")),
    save: (set) => {
      saves += 1;
      const [before, after] = saves === 1 ? [cuts[0], cuts[1]] : [cuts[7], cuts[8]];
      return around(cut === before, () => saveKeySet(directory(), set), cut === after);
    },
  };
}

const keyidOf = ({ keys: { set } }: Opened, role: (typeof keyRoles)[number]) => (role === "root" ? set.root.keyid : set.signing[role].keyid);

describe.each(keyRoles)("a rotation of the key of the role %s", (role) => {
  const steps = cuts.filter((cut) => role === "root" || !cut.includes("keyring"));
  test("that ends at any step leaves the old key or the new one in force, which opens everything, and can be repeated", async () => {
    for (const cut of steps) {
      await rm(root, { recursive: true, force: true });
      const first = await open();
      await record(first, 0);
      const sealed = first.keys.sealSecret("provider", "sk-1");
      const before = keyidOf(first, role);
      clock.advance(1000);
      await expect(rotateKey(cutAt(first, cut), { role })).rejects.toThrow("cut");
      await first.close();
      const second = await open();
      expect([cut, keyidOf(second, role) !== before]).toEqual([cut, announced(cut)]);
      await record(second, 1);
      await expectWhole(second);
      expect(second.keys.openSecret("provider", sealed)).toBe("sk-1");
      clock.advance(1000);
      const { keyid } = await rotateKey(second, { role });
      await second.close();
      const third = await open();
      expect(keyidOf(third, role)).toBe(keyid);
      expect(await expectWhole(third)).toHaveLength(announced(cut) ? 2 : 1);
      expect(third.keys.set.pending).toBeUndefined();
      await third.close();
    }
  });
});

test("a rotation is refused while the clock is not past the log, and to a service for any key but the log's", async () => {
  const parts = await open();
  await record(parts, 0);
  await expect(rotateKey(parts, { role: "statement" })).rejects.toMatchObject({ code: "keys_rotation" });
  clock.advance(1000);
  await expect(rotateKey(parts, { role: "statement", remote: { kind: "aws-kms", key: awsSigningKey } })).rejects.toMatchObject({ code: "kms_unsupported" });
  expect(parts.log.size).toBe(1);
  await parts.close();
  const again = await open();
  expect(again.keys.set.pending).toBeUndefined();
  await again.close();
});

test("a key management service signs the log after a rotation to it, and one that is lost can be left", async () => {
  const kms = pretendKms();
  const first = await open();
  clock.advance(1000);
  await rotateKey(first, { role: "log", remote: { kind: "aws-kms", key: awsSigningKey }, means: { loadKms: kms.load } });
  await first.close();
  const absent = { loadKms: () => Promise.reject(new Error("absent")) };
  await expect(open(absent)).rejects.toMatchObject({ code: "kms_package_missing" });
  const second = await open({ loadKms: kms.load });
  await record(second, 0);
  await expectWhole(second);
  expect(kms.calls.filter((call) => call.startsWith("SignCommand")).length).toBeGreaterThan(1);
  expect(second.keys.trustFile().log).toContain(formatVkey({ name: second.keys.origin, publicKey: second.keys.log.publicKey }));
  kms.deny();
  await record(second, 1);
  await expect(second.log.publish()).rejects.toMatchObject({ code: "kms_failed" });
  await record(second, 2);
  await expect(second.close()).rejects.toMatchObject({ code: "kms_failed" });
  const third = await open({ loadKms: kms.load, serviceLater: true });
  clock.advance(1000);
  expect(await rotateKey(third, { role: "log" })).toMatchObject({ covered: false });
  await expect(third.close()).rejects.toMatchObject({ code: "kms_failed" });
  const fourth = await open(absent);
  expect(await expectWhole(fourth)).toHaveLength(2);
  await fourth.close();
});

test("protected keys rotate as well: no new secret lies open in the file", async () => {
  await (await open()).close();
  const kms = pretendKms();
  await protectKeys(directory(), { to: { kind: "gcp-kms", key: gcpWrappingKey }, current: { loadKms: kms.load }, now: clock.now() });
  for (const role of keyRoles) {
    const parts = await open({ loadKms: kms.load });
    clock.advance(1000);
    await rotateKey(parts, { role });
    await parts.close();
  }
  const last = await open({ loadKms: kms.load });
  const text = await readFile(join(directory(), "keys.json"), "utf8");
  const { set } = last.keys;
  const secrets = [set.root.secret, ...set.secrets.map(({ secret }) => secret), ...Object.values(set.signing).flatMap(({ place }) => ("secret" in place ? [place.secret] : []))];
  for (const secret of secrets) expect(text).not.toContain(secret.toString("base64"));
  expect(secrets).toHaveLength(5);
  await expectWhole(last);
  await last.close();
});

test("a log of version 1 keys gets its first ML-DSA-44 signature at once, without a new entry", async () => {
  const first = await open();
  await record(first, 0);
  await first.close();
  const path = join(directory(), "keys.json");
  const { origin, created, log, statement, root: stored } = JSON.parse(await readFile(path, "utf8"));
  await writeFile(path, JSON.stringify({ v: 1, origin, created, log: log.secret, statement: statement.secret, root: stored.secret }));
  const second = await open();
  expect(await expectWhole(second)).toHaveLength(0);
  expect(second.log.size).toBe(1);
  await second.close();
});
