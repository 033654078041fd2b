import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkpointPath, formatCheckpoint, formatNote, formatNoteSignature, keyHistoryPath, keyRotationStatement, logInMemory, manifestEnvelopePath, manifestPath, packInMemory, packJson, parseManifest, statementKeyId, toBase64, utf8, verifyLog, verifyPack, type Report } from "@licet/evidence";
import { seeded } from "../../../packages/licet/src/ledger/log-fixture.ts";
import { mutantsOf } from "./mutants.ts";
import { decision, productLog, type ProductLog } from "./product-log.ts";
import { exportPack, formatEnvelopeOf, seal, signingKey, signPack, start, story, trustFile, defaultMeta, type Draft, type Files, type Keys } from "./story.ts";

let product: ProductLog;

beforeEach(async () => {
  product = await productLog();
});

afterEach(() => product.close());

function verify(files: Files, more: { readonly trust?: string; readonly old?: Uint8Array } = {}): Promise<Report> {
  return verifyPack({ source: packInMemory(files), trust: product.trust(), ...more });
}

function codes(report: Report): readonly string[] {
  return report.findings.filter(({ status }) => status === "fail").map(({ check, code }) => `${check}[${code}]`);
}

/** A dishonest operator, who holds the statement key, signs a changed export again. */
function resigned(files: Files, change: (files: Files) => void): Files {
  const changed = new Map(files);
  change(changed);
  const manifest = parseManifest(files.get(manifestPath) ?? utf8(""));
  if (!manifest.ok) throw new Error(manifest.message);
  const { formatVersion: _, files: __, ...meta } = manifest.value;
  signPack(changed, (payloadType, payload) => product.keys.signEnvelope(payloadType, payload), meta);
  return changed;
}

describe("an export that the product wrote", () => {
  test("continues any older checkpoint, because it holds the hashes of all entries", async () => {
    const old: Uint8Array[] = [];
    for (let seq = 1; seq <= 300; seq += 1) {
      await product.append(seq % 40 === 0 ? decision(seq / 40) : { space: "other" });
      if ([3, 256, 299].includes(seq)) old.push(utf8(await product.log.publish()));
    }
    const files = await product.export();
    for (const kept of old) expect(codes(await verify(files, { old: kept }))).toEqual([]);
    expect((await verify(files)).findings.find(({ check }) => check === "tiles")?.sentence).toContain("300 entries");
    const wrong = resigned(files, (set) => set.set("tile/0/000", new Uint8Array(8192)));
    expect(codes(await verify(wrong))).toEqual(["tiles[tile_differs]"]);
    expect(codes(await verify(resigned(files, (set) => set.set("tile/0/007", new Uint8Array(8192)))))).toEqual(["tiles[tile_extra]"]);
    const bare = resigned(files, (set) => [...set.keys()].filter((path) => path.startsWith("tile/")).forEach((path) => set.delete(path)));
    expect(codes(await verify(bare, { old: old[1] ?? utf8("") }))).toEqual(["consistency[consistency_missing]"]);
  });

  test("is rejected after any change", async () => {
    for (let seq = 1; seq <= 12; seq += 1) await product.append(decision(seq));
    const files = await product.export();
    expect((await verify(files)).verified).toBe(true);
    for (const { kind, path, files: mutant } of mutantsOf(files, 60, seeded(3))) expect((await verify(mutant)).verified, `${path} ${kind}`).toBe(false);
  });

  test("shows erased payloads as erased, and only those that an entry records", async () => {
    await product.append({ subject: "person:per_eve" });
    await product.append({});
    const kids = product.keyring.keysOf("main", "person:per_eve");
    await product.keyring.destroy(kids);
    expect(codes(await verify(await product.export()))).toEqual(["payload[payload_withheld]"]);
    await product.append({ kind: "payload.erased", subject: "space", body: { keys: [...kids] } });
    const files = await product.export();
    const report = await verify(files);
    expect(codes(report)).toEqual([]);
    expect(report.findings.find(({ check }) => check === "payload")?.sentence).toContain("1 payload was erased");
    const entry = JSON.parse(new TextDecoder().decode(files.get("entries/0.json"))) as { payload: { ciphertext: string } };
    expect(entry.payload).toMatchObject({ erased: true, ciphertext: expect.any(String) });
    const other = packJson({ ...entry, payload: { erased: true, ciphertext: toBase64(new Uint8Array(80)) } });
    expect(codes(await verify(resigned(files, (set) => set.set("entries/0.json", other))))).toEqual(["payload[payload_digest]"]);
    const gone = resigned(files, (set) => set.set("entries/0.json", packJson({ ...entry, payload: { erased: true } })));
    expect((await verify(gone)).verified).toBe(true);
  });
});

describe("a log that was restored from a backup", () => {
  /** Signed by the log's own key, whatever the root. */
  async function noteOf(size: number): Promise<string> {
    const { origin, publicKey } = product.keys.log;
    const text = formatCheckpoint({ origin, size, root: new Uint8Array(32) });
    const more = (await product.keys.log.moreSignatures?.({ text, size, root: new Uint8Array(32) })) ?? [];
    return formatNote(text, [formatNoteSignature({ name: origin, publicKey, signature: await product.keys.log.sign(utf8(text)) }), ...more]);
  }

  async function restored(lost = 0): Promise<{ readonly first: Uint8Array; readonly files: Files }> {
    for (let seq = 1; seq <= 5; seq += 1) await product.append(decision(seq));
    const first = utf8(await product.log.publish());
    await product.append(decision(6));
    await product.restore(lost === 0 ? [] : [await noteOf(6 + lost)]);
    await product.append({});
    await product.append(decision(1, "gw_2"));
    await product.log.publish();
    return { first, files: await product.export() };
  }

  test("verifies over all its shards, export and log, and says what was restored", async () => {
    const { first, files } = await restored();
    const report = await verify(files, { old: first });
    expect(codes(report)).toEqual([]);
    expect(report.findings.find(({ check }) => check === "shard")).toMatchObject({ status: "pass", sentence: expect.stringContaining("continues the 6 entries") });
    expect(report.findings.find(({ code }) => code === "unsigned_end")?.status).toBe("not_checked");
    expect(report.findings.find(({ check }) => check === "inclusion")?.sentence).toContain("9 entries stand in the log of 9");
    const published = await product.published();
    const whole = await verifyLog({ source: logInMemory(published), trust: product.trust(), old: first });
    expect(codes(whole)).toEqual([]);
    expect(whole.findings.filter(({ check }) => check === "tiles")).toHaveLength(2);
    const shard = [...published.keys()].find((path) => /^shards\/[^/]+\/checkpoint$/.test(path)) ?? "";
    expect(codes(await verifyLog({ source: logInMemory(published), trust: product.trust(), old: published.get(shard) ?? utf8("") }))).toEqual([]);
    const without = new Map([...published].filter(([path]) => path !== "shards.json"));
    expect(codes(await verifyLog({ source: logInMemory(without), trust: product.trust(), old: published.get(shard) ?? utf8("") }))).toEqual(["consistency[rollback]"]);
  });

  test("says that signed entries were lost", async () => {
    const { files } = await restored(4);
    const report = await verify(files);
    expect(report.findings.find(({ check, status }) => check === "shard" && status === "pass")?.sentence).toContain("4 signed entries were lost");
    expect(report.findings.find(({ code }) => code === "discarded")?.status).toBe("not_checked");
  });

  test("fails without the entry that cites the older shard, without its checkpoint, or with another tree", async () => {
    const { files } = await restored();
    expect(codes(await verify(resigned(files, (set) => set.delete("entries/6.json"))))).toEqual(["shard[restored_missing]"]);
    expect(codes(await verify(resigned(files, (set) => set.delete(checkpointPath))))).toEqual(["checkpoint[checkpoint_missing]"]);
    expect(codes(await verify(resigned(files, (set) => set.set("entries/6.json", files.get("entries/7.json") ?? utf8("")))))).toHaveLength(1);
    const forged = await noteOf(6);
    expect(codes(await verify(resigned(files, (set) => set.set(checkpointPath, utf8(forged)))))).toEqual(["shard[fork]"]);
  });
});

describe("a key history", () => {
  const keys: Keys = { log: signingKey(), statement: signingKey() };
  const next = signingKey();
  const rotation = keyRotationStatement({ role: "statement", keyid: statementKeyId(next.raw), publicKey: toBase64(next.raw), algorithm: "ed25519", previous: statementKeyId(keys.statement.raw), notBefore: start + 20_000 });
  const envelope = formatEnvelopeOf(rotation, [keys.statement, next]);
  const rotated: Draft = { id: "entry_k", kind: "key.rotated", actor: "server", time: start + 20_000, body: { role: "statement", statement: envelope } };

  async function exported(drafts: readonly Draft[], envelopes: readonly unknown[]): Promise<Files> {
    const { files, leaves } = await exportPack(drafts, { keys });
    files.set(keyHistoryPath, packJson({ envelopes }));
    signPack(files, (payloadType, payload) => seal(payloadType, payload, next), defaultMeta(leaves.length));
    return files;
  }

  test("leads a holder of the older trust file to the key that signed the export", async () => {
    const files = await exported([...story(keys), rotated], [envelope]);
    const report = await verify(files, { trust: trustFile(keys) });
    expect(codes(report)).toEqual([]);
    expect(report.findings.find(({ check }) => check === "keys")?.sentence).toContain("1 key is newer than the trust file");
    const plain = new Map([...files].filter(([path]) => path !== keyHistoryPath));
    expect(codes(await verify(plain, { trust: trustFile(keys) }))).toEqual(["pack[signature_missing]"]);
  });

  test("that is not in the log, or that the older key did not sign, leads nowhere", async () => {
    expect(codes(await verify(await exported(story(keys), [envelope]), { trust: trustFile(keys) }))).toEqual(["keys[key_unlogged]"]);
    const forged = formatEnvelopeOf(rotation, [next]);
    expect(codes(await verify(await exported([...story(keys), rotated], [forged]), { trust: trustFile(keys) }))).toEqual(["keys[key_history_signature]"]);
  });

  test("of an export whose manifest has version 1 is not needed: it still verifies", async () => {
    const { files } = await exportPack(story(keys), { keys });
    const manifest = parseManifest(files.get(manifestPath) ?? utf8(""));
    if (!manifest.ok) throw new Error(manifest.message);
    const { shards: _, ...rest } = manifest.value;
    const bytes = packJson({ ...rest, formatVersion: 1 });
    files.set(manifestPath, bytes).set(manifestEnvelopePath, packJson(seal("application/vnd.licet.pack+json", bytes, keys.statement)));
    expect(codes(await verify(files, { trust: trustFile(keys) }))).toEqual([]);
  });
});
