import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { concat, toHex, utf8 } from "./bytes.ts";
import { formatCheckpoint } from "./checkpoint.ts";
import { leafHash, merkleRoot } from "./merkle.ts";
import { formatNote } from "./note.ts";
import { inclusionProof } from "./proof.ts";
import { cosigner, ed25519Signer, mutants, valid } from "./signers-fixture.ts";
import { entriesPath, formatEntryBundle, tilePath } from "./tiles.ts";
import { formatTlogProof, parseTlogProof, verifyTlogProof } from "./tlog-proof.ts";
import { formatPolicy, parsePolicy } from "./witness-policy.ts";

const origin = "log.example/one";
const log = ed25519Signer(origin);
const pq = cosigner(origin, "ml-dsa-44");
const witnesses = [cosigner("w1.example", "ed25519-cosignature"), cosigner("w2.example", "ed25519-cosignature")] as const;
const pqWitness = cosigner("w3.example", "ml-dsa-44");
const policy = valid(parsePolicy(`witness a ${witnesses[0].text}\nwitness b ${witnesses[1].text}\nwitness c ${pqWitness.text}\ngroup g 2 a b c\nquorum g\n`));
const trust = { origin, vkeys: [log.vkey, pq.vkey] };

const entries = Array.from({ length: 13 }, (_, at) => utf8(`entry ${at}`));
const leaves = entries.map((entry) => leafHash(entry));
const read = ({ height, index }: { readonly height: number; readonly index: number }) => Promise.resolve(merkleRoot(leaves.slice(index * 2 ** height, (index + 1) * 2 ** height)));
const text = formatCheckpoint({ origin, size: entries.length, root: merkleRoot(leaves) });
const checkpoint = formatNote(text, [log.line(text), await pq.line(text), await witnesses[0].line(text), await witnesses[1].line(text), await pqWitness.line(text)]);

async function proofOf(index: number, extra?: Uint8Array): Promise<string> {
  const proof = await inclusionProof({ index, size: entries.length, read });
  return formatTlogProof({ index, proof, checkpoint, ...(extra === undefined ? {} : { extra }) });
}

function hashOf(index: number): Uint8Array {
  return leafHash(entries[index] ?? new Uint8Array(0));
}

test("each entry's proof file verifies, and for its own entry only", async () => {
  for (const index of entries.keys()) {
    const proof = await proofOf(index);
    expect(await verifyTlogProof({ proof, leafHash: hashOf(index), trust, policy })).toMatchObject({ ok: true, value: { index, witnesses: { quorum: "met" }, checkpoint: { size: 13, mldsa: "verified" } } });
    const other = hashOf((index + 1) % entries.length);
    expect(await verifyTlogProof({ proof, leafHash: other, trust, policy })).toMatchObject({ code: "not_included" });
  }
});

test("without a policy nobody is said to have witnessed, and an unmet quorum is a refusal", async () => {
  const proof = await proofOf(5, utf8("anything"));
  expect(await verifyTlogProof({ proof, leafHash: hashOf(5), trust, policy: null })).toMatchObject({ ok: true, value: { witnesses: null, extra: utf8("anything") } });
  const strict = valid(parsePolicy(`witness x ${cosigner("x.example", "ml-dsa-44").text}\nquorum x\n`));
  expect(await verifyTlogProof({ proof, leafHash: hashOf(5), trust, policy: strict })).toMatchObject({ code: "witness_quorum" });
});

test("the text of a proof file is the one of the specification", async () => {
  const proof = await proofOf(2, Uint8Array.of(1, 2, 3));
  expect(proof).toMatch(/^c2sp\.org\/tlog-proof@v1\nextra AQID\nindex 2\n([A-Za-z0-9+/]{43}=\n){4}\nlog\.example\/one\n13\n/);
  expect(valid(parseTlogProof(proof)).checkpoint).toBe(checkpoint);
});

test("every byte of a proof file counts where each signature in it is asked for", async () => {
  const proof = await proofOf(4);
  const strict = valid(parsePolicy(formatPolicy(policy).replace("group g 2 ", "group g all ")));
  for (const { at, mutant } of mutants(proof, 5)) {
    expect((await verifyTlogProof({ proof: mutant, leafHash: hashOf(4), trust, policy: strict })).ok, `byte ${at}`).toBe(false);
  }
});

test("what is written is read again", () => {
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const index = fc.oneof(fc.nat(), fc.constant(Number.MAX_SAFE_INTEGER));
  fc.assert(
    fc.property(index, fc.array(hash, { maxLength: 63 }), fc.option(fc.uint8Array(), { nil: undefined }), fc.string(), (at, proof, extra, note) => {
      const file = { index: at, proof, checkpoint: note, ...(extra === undefined ? {} : { extra }) };
      const again = valid(parseTlogProof(formatTlogProof(file)));
      expect({ ...again, proof: again.proof.map(toHex), extra: again.extra && toHex(again.extra) }).toEqual({ ...file, proof: proof.map(toHex), extra: extra && toHex(extra) });
    }),
  );
  expect(() => formatTlogProof({ index: -1, proof: [], checkpoint })).toThrow(TypeError);
  expect(() => formatTlogProof({ index: 0, proof: [new Uint8Array(31)], checkpoint })).toThrow(TypeError);
});

test("no text makes the proof parser throw", async () => {
  const words = fc.constantFrom("c2sp.org/tlog-proof@v1", "extra ", "index ", "0", "01", "AQID", "\n", "\n\n", " ", "=", "\ud800");
  const garbage = fc.oneof(fc.string(), fc.array(words, { maxLength: 20 }).map((parts) => parts.join("")));
  await fc.assert(
    fc.asyncProperty(garbage, async (proof) => {
      expect((await verifyTlogProof({ proof, leafHash: hashOf(0), trust, policy: null })).ok).toBe(false);
    }),
    { numRuns: 300 },
  );
  const head = "c2sp.org/tlog-proof@v1\n";
  expect(parseTlogProof(`${head}index 01\n\n${checkpoint}`)).toMatchObject({ code: "tlog_proof_index" });
  expect(parseTlogProof(`${head}index 9007199254740992\n\n${checkpoint}`)).toMatchObject({ code: "tlog_proof_index" });
  expect(parseTlogProof(`${head}extra A\nindex 0\n\n${checkpoint}`)).toMatchObject({ code: "tlog_proof_extra" });
  expect(parseTlogProof(`${head}index 0\n${`${"A".repeat(43)}=\n`.repeat(64)}\n${checkpoint}`)).toMatchObject({ code: "tlog_proof_hashes" });
  expect(parseTlogProof("a".repeat(2_000_000))).toMatchObject({ code: "tlog_proof_too_large" });
});

const program = fileURLToPath(new URL("../../../../shared/evidence/verify_tlog.py", import.meta.url));
const python = "/usr/bin/python3";
const oracleIsHere = existsSync(program) && existsSync(python);
const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

function ask(...args: readonly string[]): unknown {
  const witnessed = witnesses.flatMap(({ text: vkey }) => ["--witness", vkey]);
  return JSON.parse(execFileSync(python, [program, ...args, "--vkey", log.text, ...witnessed, "--quorum", "2", "--json"]).toString("utf8"));
}

function write(folder: string, path: string, content: string | Uint8Array): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

test.skipIf(!oracleIsHere)("an independent verifier accepts proof files and cosigned checkpoints (needs ../shared/evidence/verify_tlog.py)", async () => {
  const folder = mkdtempSync(join(tmpdir(), "licet-tlog-proof-"));
  folders.push(folder);
  const proof = write(folder, "proof", await proofOf(11, utf8("extra")));
  expect(ask("proof", proof, "--leaf-hash", toHex(hashOf(11)))).toMatchObject({ ok: true, index: 11, size: 13, cosigned_by: ["w1.example", "w2.example"] });
  const place = { level: 0, index: 0, width: entries.length };
  write(folder, `log/${tilePath(place)}`, concat(...leaves));
  write(folder, `log/${entriesPath(0, entries.length)}`, formatEntryBundle(entries));
  write(folder, "log/checkpoint", checkpoint);
  expect(ask("check", join(folder, "log"))).toMatchObject({ ok: true, size: 13 });
  const uncosigned = write(folder, "uncosigned", formatTlogProof({ ...valid(parseTlogProof(await proofOf(11))), checkpoint: formatNote(text, [log.line(text), await witnesses[0].line(text)]) }));
  expect(() => ask("proof", uncosigned, "--leaf-hash", toHex(hashOf(11)))).toThrow(/Command failed/);
});

test.skipIf(!oracleIsHere)("a proof file of the independent verifier is accepted", () => {
  const folder = mkdtempSync(join(tmpdir(), "licet-tlog-proof-"));
  folders.push(folder);
  const place = { level: 0, index: 0, width: entries.length };
  write(folder, tilePath(place), concat(...leaves));
  write(folder, entriesPath(0, entries.length), formatEntryBundle(entries));
  write(folder, "checkpoint", checkpoint);
  const out = join(folder, "out");
  ask("inclusion", folder, "--index", "7", "--leaf-hash", toHex(hashOf(7)), "--out", out);
  return expect(verifyTlogProof({ proof: readFileSync(out, "utf8"), leafHash: hashOf(7), trust, policy })).resolves.toMatchObject({ ok: true, value: { index: 7 } });
});
