import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { fromBase64, leafHash, openPayload, packInMemory, parseLeaf, parseManifest, parsePackEntry, verifyEntryInclusion, verifyInclusion, verifyPack } from "@licet/evidence";
import { exportPack, signingKey, story, trustFile, type Files, type Keys } from "./story.ts";

/** Fixed, so that every run looks at the same places. */
const seed = 20260105;
const keys: Keys = { log: signingKey(), statement: signingKey() };
const trust = trustFile(keys);
let files: Files;

beforeAll(async () => {
  ({ files } = await exportPack(story(keys), { keys, since: 4 }));
});

async function isRejected(mutant: Files): Promise<boolean> {
  const report = await verifyPack({ source: packInMemory(mutant), trust });
  return !report.verified;
}

function nth(at: number): readonly [string, Uint8Array] {
  const found = [...files][at % files.size];
  if (found === undefined) throw new Error("the export has no files");
  return found;
}

function bytesOf(path: string): Uint8Array {
  const bytes = files.get(path);
  if (bytes === undefined) throw new Error(`the export has no ${path}`);
  return bytes;
}

/** A different byte at one place. */
function mutate(bytes: Uint8Array, where: number, by: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const at = where % copy.length;
  copy[at] = (copy[at] ?? 0) ^ (1 + (by % 255));
  return copy;
}

test("no byte of any file of an export can be changed unnoticed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(), fc.nat({ max: 254 }), async (file, where, by) => {
      const [path, bytes] = nth(file);
      expect(await isRejected(new Map([...files, [path, mutate(bytes, where, by)]])), `${path} at ${where % bytes.length}`).toBe(true);
    }),
    { numRuns: 350, seed },
  );
}, 120_000);

test("nor can the signed manifest and the checkpoint, at any position", async () => {
  for (const path of ["pack.dsse.json", "pack.json", "checkpoint"]) {
    const bytes = bytesOf(path);
    for (let at = 0; at < bytes.length; at += bytes.length > 1000 ? 7 : 1) {
      expect(await isRejected(new Map([...files, [path, mutate(bytes, at, at)]])), `${path} at ${at}`).toBe(true);
    }
  }
}, 120_000);

test("no file can be cut, emptied, lengthened, removed, added or replaced by another unnoticed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(), fc.nat(), async (one, two, length) => {
      const [path, bytes] = nth(one);
      const [otherPath, otherBytes] = nth(two);
      const mutants: [string, Files][] = [
        ["cut", new Map([...files, [path, bytes.subarray(0, length % bytes.length)]])],
        ["lengthened", new Map([...files, [path, Uint8Array.of(...bytes, length & 0xff)]])],
        ["removed", new Map([...files].filter(([name]) => name !== path))],
        ["added", new Map([...files, [`${path}.${length % 10}`, bytes]])],
      ];
      if (path !== otherPath) mutants.push(["swapped", new Map([...files, [path, otherBytes], [otherPath, bytes]])]);
      for (const [how, mutant] of mutants) expect(await isRejected(mutant), `${path} ${how}`).toBe(true);
    }),
    { numRuns: 30, seed },
  );
}, 120_000);

test("files of garbage get an answer, never an exception", async () => {
  const garbage = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.json({ maxDepth: 6 }).map((text) => new TextEncoder().encode(text)));
  await fc.assert(
    fc.asyncProperty(fc.nat(), garbage, async (file, bytes) => {
      const [path] = nth(file);
      expect(await isRejected(new Map([...files, [path, bytes]]))).toBe(true);
      expect(typeof parseManifest(bytes).ok).toBe("boolean");
      expect(parsePackEntry(bytes).ok).toBe(false);
      expect(parseLeaf(bytes).ok).toBe(false);
    }),
    { numRuns: 120, seed },
  );
}, 120_000);

test("members of a wrong type in the manifest or an entry are refused, one by one", () => {
  for (const [path, parse] of [["pack.json", parseManifest], ["entries/5.json", parsePackEntry]] as const) {
    const value = JSON.parse(new TextDecoder().decode(bytesOf(path))) as Record<string, unknown>;
    for (const name of Object.keys(value)) {
      for (const wrong of [null, true, -1, 1.5, 2 ** 60, "", {}, [null], ["x"], [[]], "x".repeat(2000)]) {
        const text = JSON.stringify({ ...value, [name]: wrong });
        expect(parse(new TextEncoder().encode(text)).ok && typeof wrong !== typeof value[name], `${path} ${name} ${JSON.stringify(wrong)}`).toBe(false);
      }
    }
  }
});

function entryAt(index: number) {
  const entry = parsePackEntry(bytesOf(`entries/${index}.json`));
  if (!entry.ok) throw new Error(entry.message);
  return entry.value;
}

test("an entry proves itself in a browser's terms, and no changed character of its leaf does", async () => {
  const entry = entryAt(5);
  const checkpoint = new TextDecoder().decode(bytesOf("checkpoint"));
  expect(await verifyEntryInclusion({ ...entry, checkpoint, trust })).toMatchObject({ ok: true, value: { leaf: { id: "entry_2" } } });
  for (let at = 0; at < entry.leaf.length; at += 1) {
    const leaf = `${entry.leaf.slice(0, at)}${entry.leaf[at] === "0" ? "1" : "0"}${entry.leaf.slice(at + 1)}`;
    expect((await verifyEntryInclusion({ ...entry, leaf, checkpoint, trust })).ok, `character ${at}`).toBe(false);
  }
  expect(await verifyEntryInclusion({ ...entry, index: 6, checkpoint, trust })).toMatchObject({ code: "not_included" });
  expect(await verifyEntryInclusion({ ...entry, proof: ["AAAA"], checkpoint, trust })).toMatchObject({ code: "proof_malformed" });
  expect(await verifyEntryInclusion({ ...entry, checkpoint: "", trust })).toMatchObject({ code: "note_malformed" });
  expect(verifyInclusion({ index: 0, size: 1, leafHash: leafHash(new Uint8Array(1)), proof: [], root: leafHash(new Uint8Array(0)) })).toBe(false);
});

test("a payload opens only with its own key, bytes, id, space, class and kind", async () => {
  const entry = entryAt(5);
  const leaf = parseLeaf(new TextEncoder().encode(entry.leaf));
  if (entry.payload === undefined || !("key" in entry.payload)) throw new Error("the payload is not shown");
  const [ciphertext, key] = [fromBase64(entry.payload.ciphertext), fromBase64(entry.payload.key)];
  if (!leaf.ok || !ciphertext.ok || !key.ok) throw new Error("the export is malformed");
  const sealed = { leaf: leaf.value, ciphertext: ciphertext.value, key: key.value };
  expect(await openPayload(sealed)).toMatchObject({ ok: true, value: { kind: "approval.given", actor: "per_ada" } });
  expect(await openPayload({ ...sealed, key: mutate(sealed.key, 5, 5) })).toMatchObject({ code: "payload_key" });
  expect(await openPayload({ ...sealed, ciphertext: mutate(sealed.ciphertext, 5, 5) })).toMatchObject({ code: "payload_digest" });
  expect(await openPayload({ ...sealed, leaf: { ...leaf.value, space: "other" } })).toMatchObject({ code: "payload_tag" });
  expect(await openPayload({ ...sealed, leaf: { ...leaf.value, id: "entry_9" } })).toMatchObject({ code: "payload_key" });
  expect(await openPayload({ ...sealed, leaf: { ...leaf.value, kind: "approval.taken" } })).toMatchObject({ code: "payload_kind" });
  expect(await openPayload({ ...sealed, leaf: { ...leaf.value, payload: { ...leaf.value.payload, class: "runtime" } } })).toMatchObject({ code: "payload_tag" });
});
