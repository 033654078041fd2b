import { cpSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { extendTrust, keysAt, parseTrust, type Trust, type TrustFile, verifyStatement, verifyTrustedCheckpoint } from "@licet/evidence";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ManualClock, manualClock } from "../base/clock.ts";
import { rotateKey } from "../ledger/key-rotation.ts";
import { openKeyring } from "../ledger/keyring.ts";
import { keyRoles } from "../ledger/keys-file.ts";
import { listKeys } from "../ledger/keys-list.ts";
import { openEntry } from "../ledger/sealing.ts";
import { askTlogOracle, tlogOraclePresent } from "../ledger/tlog-oracle.ts";
import { openRecordKeeping, type RecordKeeping } from "./record-keeping.ts";

let root = "";
let clock: ManualClock;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "licet-rotated-"));
  clock = manualClock(Date.UTC(2026, 10, 1));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const keysDirectory = () => join(root, "keys");

function open(): Promise<RecordKeeping> {
  clock.advance(1000);
  return openRecordKeeping({ directory: join(root, "data"), keysDirectory: keysDirectory(), clock });
}

function parsed(file: TrustFile): Trust {
  const trust = parseTrust(JSON.stringify(file));
  if (!trust.ok) throw new Error(trust.message);
  return trust.value;
}

/** Every entry opens; answers the statements of the key history, each checked under the keys of its time. */
async function historyOf({ log, keyring }: RecordKeeping, trust: Trust): Promise<readonly unknown[]> {
  const history: unknown[] = [];
  for await (const frame of log.scan(0)) {
    const { kind, time, body } = openEntry(keyring, frame);
    if (kind !== "key.rotated") continue;
    expect(await verifyStatement(body["statement"], keysAt(trust, time))).toMatchObject({ ok: true });
    history.push(body["statement"]);
  }
  return history;
}

test("a key of every role is replaced: what was before opens and verifies, an old trust file follows the history, and an independent verifier accepts the log under the key of its time", async () => {
  const first = await open();
  await first.recorder.commit(async () => ({ entry: { kind: "audit.exported", space: "main", actor: "per_ada", subject: "space", class: "governance", body: { n: 0 } }, value: undefined }));
  const [oldTrust, oldVkey, oldRoot] = [first.trustFile(), first.log.vkey, first.keys.root];
  const oldNote = await first.log.publish();
  const sealed = first.keys.sealSecret("provider", "sk-1");
  await first.close();
  cpSync(join(root, "data", "log"), join(root, "before"), { recursive: true });
  for (const role of keyRoles) {
    const records = await open();
    clock.advance(1000);
    const rotated = await rotateKey(records, { role });
    expect(rotated).toMatchObject({ role, covered: true });
    await records.close();
    const [current] = (await listKeys(keysDirectory())).filter((key) => key.role === role);
    expect(current).toMatchObject({ keyid: rotated.keyid, created: rotated.notBefore, retired: null });
  }
  const last = await open();
  const newTrust = parsed(last.trustFile());
  const history = await historyOf(last, newTrust);
  expect(history).toHaveLength(4);
  expect(last.keys.openSecret("provider", sealed)).toBe("sk-1");
  const note = await last.log.publish();
  expect(await verifyTrustedCheckpoint(note, newTrust)).toMatchObject({ ok: true, value: { mldsa: "verified" } });
  expect(await verifyTrustedCheckpoint(oldNote, newTrust)).toMatchObject({ ok: true });
  expect(await verifyTrustedCheckpoint(note, parsed(oldTrust))).toMatchObject({ ok: false, code: "note_signature_missing" });
  const extended = await extendTrust(parsed(oldTrust), history);
  expect(extended.ok ? await verifyTrustedCheckpoint(note, extended.value) : extended).toMatchObject({ ok: true });
  const periods = (trust: Trust) => trust.keys.map(({ keyid, notBefore, notAfter }) => ({ keyid, notBefore, notAfter })).toSorted((a, b) => a.notBefore - b.notBefore);
  expect(extended.ok && periods(extended.value)).toEqual(periods(newTrust));
  expect(last.log.origin).toBe(oldTrust.origin);
  await last.close();
  const ring = await openKeyring({ directory: keysDirectory(), root: oldRoot, clock });
  const kids = ring.keysOf("main", "space");
  expect(kids.length).toBeGreaterThan(0);
  for (const kid of kids) expect(() => ring.byId(kid)).toThrow(expect.objectContaining({ code: "payload_damaged" }));
  await ring.close();
  if (!tlogOraclePresent) return;
  expect(askTlogOracle(join(root, "before"), oldVkey)).toMatchObject({ ok: true, size: 1 });
  expect(askTlogOracle(join(root, "data", "log"), last.log.vkey)).toMatchObject({ ok: true, size: 5 });
  expect(() => askTlogOracle(join(root, "data", "log"), oldVkey)).toThrow("Command failed");
});

test("a server finishes at its start a rotation of the root key that ended after its entry", async () => {
  const first = await open();
  clock.advance(1000);
  const cut = rotateKey({ ...first, keyring: { ...first.keyring, rewrap: () => Promise.reject(new Error("cut")) } }, { role: "root" });
  await expect(cut).rejects.toThrow("cut");
  const before = first.keys.set.root.keyid;
  await first.close();
  const second = await open();
  expect(second.keys.set.root.keyid).not.toBe(before);
  expect(await historyOf(second, parsed(second.trustFile()))).toHaveLength(1);
  await second.close();
});
