import { sign } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cosign, entriesPath, formatCheckpoint, formatEntryBundle, formatNote, formatNoteSignature, formatVkey, leafBytes, leafHash, logInMemory, merkleRoot, parseEntryBundle, parseLeaf, tilesOfTree, trustFingerprint, utf8, verifyLog, type Leaf, type Report, type TrustFile } from "@licet/evidence";
import fc from "fast-check";
import { seeded } from "../../../packages/licet/src/ledger/log-fixture.ts";
import { bundleText, scanLeaf } from "../../../packages/evidence/src/verify/leaf-scan.ts";
import { mutantsOf } from "./mutants.ts";
import { decision, productLog, type ProductLog } from "./product-log.ts";
import { origin, signedCheckpoint, signingKey, start, trustFile, type Files, type Keys } from "./story.ts";

let product: ProductLog;
let trust: string;
let published: Files;
const earlier = new Map<number, Uint8Array>();

beforeAll(async () => {
  product = await productLog();
  for (let seq = 1; seq <= 600; seq += 1) {
    await product.append(seq % 3 === 0 ? {} : decision(Math.ceil((seq * 2) / 3)));
    if ([1, 256, 300, 512, 599].includes(seq)) earlier.set(seq, utf8(await product.log.publish()));
  }
  await product.log.publish();
  published = await product.published();
  trust = product.trust();
}, 60_000);

afterAll(() => product.close());

function verify(files: Files, more: { readonly trust?: string; readonly old?: Uint8Array; readonly minimumIndex?: number } = {}): Promise<Report> {
  return verifyLog({ source: logInMemory(files), trust, ...more });
}

function codes(report: Report): readonly string[] {
  return report.findings.filter(({ status }) => status === "fail").map(({ check, code }) => `${check}[${code}]`);
}

describe("a log as the product publishes it", () => {
  test("verifies, with a line for each check, and is not called witnessed", async () => {
    const report = await verify(published);
    expect(codes(report)).toEqual([]);
    expect(report.findings.map(({ check, status }) => `${check} ${status}`)).toEqual(["trust pass", "checkpoint pass", "entries pass", "tiles pass", "witness not_witnessed", "decision pass"]);
    expect(report.findings.at(-1)?.sentence).toContain("400 numbered entries of 1 gateway");
  });

  test("continues every checkpoint that it signed before", async () => {
    for (const old of earlier.values()) expect(codes(await verify(published, { old }))).toEqual([]);
  });

  test("fails against a checkpoint of a longer or another log", async () => {
    const long = signingKey();
    expect(codes(await verify(published, { old: signedCheckpoint([utf8("x")], long) }))).toEqual(["consistency[note_signature_missing]"]);
    const cut = new Map([...published, ["checkpoint", earlier.get(300) ?? utf8("")]]);
    expect(codes(await verify(cut, { old: published.get("checkpoint") ?? utf8("") }))).toContain("consistency[rollback]");
  });

  test("is rejected after any change of a file that is read; the others are partial tiles that full ones replaced", async () => {
    const read = new Set<string>();
    const source = logInMemory(published);
    await verifyLog({ source: { read: (path, max) => (read.add(path), source.read(path, max)) }, trust });
    const unread = [...published.keys()].filter((path) => !read.has(path));
    expect(unread.filter((path) => !path.includes(".p/"))).toEqual([]);
    const wanted = new Map([...published].filter(([path]) => read.has(path)));
    for (const { kind, path, files } of mutantsOf(wanted, 80, seeded(20260105))) expect((await verify(files)).verified, `${path} ${kind}`).toBe(false);
  }, 60_000);

  test("with its first entries pruned says so, and fails without being told that they may be", async () => {
    const pruned = new Map([...published].filter(([path]) => path !== entriesPath(0)));
    expect(codes(await verify(pruned))).toContain("entries[bundle_missing]");
    const report = await verify(pruned, { minimumIndex: 256, old: earlier.get(300) ?? utf8("") });
    expect(codes(report)).toEqual([]);
    expect(report.findings.find(({ status }) => status === "not_checked")).toMatchObject({ check: "entries", code: "pruned" });
    expect(codes(await verify(new Map([...pruned, ["minimum-index", utf8("300\n")]])))).toEqual([]);
    expect(codes(await verify(pruned, { minimumIndex: 255 }))).toContain("entries[bundle_missing]");
    const both = new Map([...pruned].filter(([path]) => path !== "tile/0/000"));
    expect(codes(await verify(both, { minimumIndex: 256 }))).toEqual([]);
    expect(codes(await verify(both, { minimumIndex: 256, old: earlier.get(256) ?? utf8("") }))).toEqual([]);
    const gap = new Map([...published].filter(([path]) => path !== entriesPath(1)));
    expect(codes(await verify(gap, { minimumIndex: 256 }))).toContain("entries[bundle_missing]");
  });
});

const keys: Keys = { log: signingKey(), statement: signingKey() };

function leafOf(at: number, more: Partial<Leaf> = {}): Leaf {
  const digest = `sha256:${"0".repeat(64)}` as const;
  return { v: 1, id: `ent_${at}`, time: start + at, space: "main", kind: "note.made", kv: 1, actor: "00112233", payload: { alg: "A256GCM", kid: "kek_1", digest, size: 1, class: "runtime", commit: digest }, ...more };
}

/** The files of a log that a dishonest operator signs: whatever entries are wanted, all hashes right. */
function signedLog(entries: readonly Uint8Array[]): Files {
  const hashes = entries.map(leafHash);
  const files: Files = new Map(tilesOfTree(new Uint8Array(Buffer.concat(hashes))).map(({ path, bytes }) => [path, bytes]));
  for (let at = 0; at < entries.length; at += 256) files.set(entriesPath(at / 256, Math.min(256, entries.length - at)), formatEntryBundle(entries.slice(at, at + 256)));
  return files.set("checkpoint", signedCheckpoint(entries, keys.log));
}

const ownTrust = trustFile(keys);
const judged = async (leaves: readonly Leaf[]) => codes(await verifyLog({ source: logInMemory(signedLog(leaves.map(leafBytes))), trust: ownTrust }));

describe("a log that its own key signed, with wrong entries in it", () => {
  test.each<[string, readonly Leaf[], readonly string[]]>([
    ["nothing wrong", [leafOf(0, { gateway: "g", seq: 2 }), leafOf(1, { gateway: "g", seq: 1 })], []],
    ["a number left out", [leafOf(0, { gateway: "g", seq: 1 }), leafOf(1, { gateway: "g", seq: 3 })], ["decision[decision_missing]"]],
    ["a first number left out", [leafOf(0, { gateway: "g", seq: 2 })], ["decision[decision_missing]"]],
    ["a number used twice", [leafOf(0, { gateway: "g", seq: 1 }), leafOf(1, { gateway: "g", seq: 1 })], ["decision[decision_twice]"]],
    ["a later number used twice", [leafOf(0, { gateway: "g", seq: 2 }), leafOf(1, { gateway: "g", seq: 2 }), leafOf(2, { gateway: "g", seq: 1 })], ["decision[decision_twice]"]],
    ["the same numbers of two spaces", [leafOf(0, { gateway: "g", seq: 1 }), leafOf(1, { gateway: "g", seq: 1, space: "other" })], []],
    ["a time far back", [leafOf(0, { time: start + 7_200_000 }), leafOf(1)], ["entries[time_backwards]"]],
  ])("is judged: %s", async (_, leaves, expected) => {
    expect(await judged(leaves)).toEqual(expected);
  });

  test("fails when entries and tiles agree with each other, but not with the signed root", async () => {
    for (const size of [1, 256, 300]) {
      const [one, other] = [0, 1].map((by) => Array.from({ length: size }, (_, at) => leafBytes(leafOf(at + by))));
      const files = signedLog(one ?? []).set("checkpoint", signedCheckpoint(other ?? [], keys.log));
      expect(codes(await verifyLog({ source: logInMemory(files), trust: ownTrust }))).toEqual(["tiles[root_differs]"]);
    }
  });

  test("names gateway and number of a gap", async () => {
    const report = await verifyLog({ source: logInMemory(signedLog([leafBytes(leafOf(0, { gateway: "gw_7", seq: 4 }))])), trust: ownTrust });
    expect(report.findings.at(-1)?.sentence).toBe("`gw_7`: numbers 1 to 3 are not in the log, though 4 is, in entry 0");
  });

  test("fails for an entry that is no canonical leaf", async () => {
    const text = new TextDecoder().decode(leafBytes(leafOf(0)));
    for (const wrong of [text.replace('"v":1', '"v":1 '), text.replace('"v":1', '"v":2'), text.replace('"kv":1', '"kv":0'), "{}", ""]) {
      const report = await verifyLog({ source: logInMemory(signedLog([utf8(wrong)])), trust: ownTrust });
      expect([wrong, codes(report).filter((code) => code.startsWith("entries[")).length]).toEqual([wrong, 1]);
    }
  });

  test("verifies at every size around a tile, and while it is empty", async () => {
    for (const size of [0, 1, 2, 255, 256, 257, 511, 513]) {
      const found = await judged(Array.from({ length: size }, (_, at) => leafOf(at)));
      expect([size, found]).toEqual([size, []]);
    }
  });

  test("verifies with many failures in bounded lines, and never throws for garbage", async () => {
    const report = await verifyLog({ source: logInMemory(signedLog(Array.from({ length: 300 }, () => utf8("x")))), trust: ownTrust });
    expect(report.findings.filter(({ check }) => check === "entries")).toHaveLength(21);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom("checkpoint", "shards.json", "minimum-index", entriesPath(0, 3), "tile/0/000.p/3"), fc.uint8Array({ maxLength: 300 }), async (path, bytes) => {
        const files = signedLog([0, 1, 2].map((at) => leafBytes(leafOf(at))));
        const { verified } = await verifyLog({ source: logInMemory(new Map([...files, [path, bytes]])), trust: ownTrust });
        expect(verified).toBe(path === "minimum-index");
      }),
      { numRuns: 200, seed: 7 },
    );
  });
});

describe("the fast way of reading a leaf", () => {
  const name = fc.stringMatching(/^[\p{L}A-Za-z0-9_.:/@-]{1,20}$/u);
  const leaf = fc.record({ id: name, kind: name, space: name, time: fc.nat({ max: 8.64e15 }), kv: fc.integer({ min: 1, max: 9 }), gateway: fc.option(name, { nil: undefined }), seq: fc.option(fc.maxSafeNat(), { nil: undefined }), system: fc.option(fc.constant("00112233"), { nil: undefined }) });

  test("agrees with the slow one, on leaves and on changed ones", () => {
    fc.assert(
      fc.property(leaf, fc.nat(), fc.integer({ min: 0, max: 127 }), (parts, place, byte) => {
        const bytes = utf8(JSON.stringify(Object.fromEntries(Object.entries({ ...leafOf(0), ...parts }).sort(([a], [b]) => (a < b ? -1 : 1)))).replace(/"payload":\{.*?\}/u, `"payload":{"alg":"A256GCM","class":"runtime","commit":"sha256:${"0".repeat(64)}","digest":"sha256:${"0".repeat(64)}","kid":"kek_1","size":1}`));
        const changed = Uint8Array.from(bytes);
        changed[place % changed.length] = byte;
        for (const each of [bytes, changed]) {
          const [fast, slow] = [scanLeaf(bundleText(each), 0, each.length), parseLeaf(each)];
          const heads = [fast, slow].map((read) => (read.ok ? [read.value.kind, read.value.space, read.value.time, read.value.gateway, read.value.seq] : "refused"));
          expect(heads[0]).toEqual(heads[1]);
        }
        expect(parseLeaf(bytes).ok).toBe(true);
      }),
      { numRuns: 500, seed: 11 },
    );
  });

  test("takes no leaf that runs over its end", () => {
    const bytes = leafBytes(leafOf(0));
    const bundle = formatEntryBundle([bytes, bytes]);
    expect(scanLeaf(bundleText(bundle), 2, 2 + bytes.length).ok).toBe(true);
    expect(scanLeaf(bundleText(bundle), 2, 1 + bytes.length).ok).toBe(false);
    expect(parseEntryBundle(bundle, 2).ok).toBe(true);
  });
});

describe("witnesses", () => {
  const [ada, bo] = [signingKey(), signingKey()];
  const vkey = (name: string, key: typeof ada) => formatVkey({ name, publicKey: key.raw, type: "ed25519-cosignature" });
  const policy = `witness ada ${vkey("ada.example", ada)}\nwitness bo ${vkey("bo.example", bo)}\ngroup both all ada bo\nquorum both\n`;
  const withPolicy = (text: string): string => {
    const { fingerprint: _, ...file } = JSON.parse(ownTrust) as TrustFile;
    const asked = { ...file, v: 2 as const, witnesses: { policy: text } };
    return JSON.stringify({ ...asked, fingerprint: trustFingerprint(asked) });
  };
  const entries = [leafBytes(leafOf(0))];
  const text = formatCheckpoint({ origin, size: 1, root: merkleRoot(entries.map(leafHash)) });
  const own = formatNoteSignature({ name: origin, publicKey: keys.log.raw, signature: sign(null, utf8(text), keys.log.privateKey) });
  const line = (name: string, key: typeof ada) => cosign({ by: { type: "ed25519-cosignature", name, publicKey: key.raw }, text, timestamp: 1_767_600_000, sign: (message) => sign(null, message, key.privateKey) });
  const report = async (lines: readonly string[], of = policy) => verifyLog({ source: logInMemory(signedLog(entries).set("checkpoint", utf8(formatNote(text, [own, ...lines])))), trust: withPolicy(of) });

  test("that are enough for the policy are named with their times", async () => {
    const { verified, findings } = await report([await line("ada.example", ada), await line("bo.example", bo)]);
    expect(verified).toBe(true);
    expect(findings.find(({ check }) => check === "witness")).toMatchObject({ status: "pass", sentence: expect.stringContaining("`ada` at 2026-01-05T08:00:00.000Z, `bo` at") });
  });

  test("that are too few, or whose signature is wrong, fail; a policy that asks for none is never witnessed", async () => {
    expect(codes(await report([await line("ada.example", ada)]))).toEqual(["witness[witness_quorum]"]);
    expect(codes(await report([]))).toEqual(["witness[witness_quorum]"]);
    expect(codes(await report([await line("ada.example", ada), await line("bo.example", ada)]))).toEqual(["witness[witness_quorum]"]);
    const wrong = await cosign({ by: { type: "ed25519-cosignature", name: "bo.example", publicKey: bo.raw }, text, timestamp: 1, sign: (message) => sign(null, message, ada.privateKey) });
    expect(codes(await report([await line("ada.example", ada), wrong]))).toEqual(["witness[note_signature_wrong]"]);
    const none = await report([], "quorum none\n");
    expect(none.findings.find(({ check }) => check === "witness")).toMatchObject({ status: "not_witnessed" });
  });
});
