import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fromBase64, utf8 } from "./bytes.ts";
import { formatCheckpoint, parseCheckpoint, verifyCheckpoint } from "./checkpoint.ts";
import { formatNote, formatNoteSignature, parseNote, verifyNote } from "./note.ts";
import { formatVkey, parseVkey, type Vkey } from "./vkey.ts";

/** The example of C2SP signed-note v1. */
const exampleKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const exampleNote =
  "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

interface Signer {
  readonly vkey: Vkey;
  line(text: string): string;
}

function signer(name: string): Signer {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = rawKey(publicKey);
  return {
    vkey: valid(parseVkey(formatVkey({ name, publicKey: raw }))),
    line: (text) => formatNoteSignature({ name, publicKey: raw, signature: sign(null, utf8(text), privateKey) }),
  };
}

function rawKey(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: "der", type: "spki" }).subarray(-32));
}

function valid<T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string }): T {
  if (!result.ok) throw new Error(result.message);
  return result.value;
}

const log = signer("log.example/one");
const stranger = signer("witness.example/two");
const text = formatCheckpoint({ origin: "log.example/one", size: 20_852_163, root: new Uint8Array(32).fill(7) });

test("the example of C2SP signed-note verifies with its key", async () => {
  expect(await verifyNote(exampleNote, [valid(parseVkey(exampleKey))])).toMatchObject({ ok: true, value: { text: "This is an example message.\n", signers: ["example.com/foo"] } });
});

test("a key's text form comes back, and no changed character of it is accepted as the same key", () => {
  expect(formatVkey(valid(parseVkey(exampleKey)))).toBe(exampleKey);
  for (let at = 0; at < exampleKey.length; at += 1) {
    const changed = `${exampleKey.slice(0, at)}${exampleKey[at] === "A" ? "B" : "A"}${exampleKey.slice(at + 1)}`;
    expect(parseVkey(changed).ok).toBe(false);
  }
  expect(() => formatVkey({ name: "a b", publicKey: new Uint8Array(32) })).toThrow(TypeError);
  expect(() => formatVkey({ name: "a", publicKey: new Uint8Array(31) })).toThrow(TypeError);
});

test("signatures of strangers are ignored, but one of a trusted key must be there", async () => {
  const both = formatNote(text, [stranger.line(text), log.line(text)]);
  expect(await verifyNote(both, [log.vkey])).toMatchObject({ ok: true, value: { signers: ["log.example/one"] } });
  expect(await verifyNote(formatNote(text, [stranger.line(text)]), [log.vkey])).toMatchObject({ code: "note_signature_missing" });
  expect(await verifyNote(formatNote(text, [log.line(text)]), [])).toMatchObject({ code: "note_signature_missing" });
});

test("a wrong signature of a trusted key sinks the note, even beside a right one", async () => {
  const note = formatNote(text, [log.line(text), stranger.line("another text\n")]);
  expect(await verifyNote(note, [log.vkey, stranger.vkey])).toMatchObject({ code: "note_signature_wrong" });
});

test("every byte of a checkpoint with one signature counts", async () => {
  const signed = formatNote(text, [log.line(text)]);
  expect((await verifyCheckpoint(signed, { origin: "log.example/one", vkeys: [log.vkey] })).ok).toBe(true);
  const bytes = utf8(signed);
  for (let at = 0; at < bytes.length; at += 1) {
    const mutant = Uint8Array.from(bytes);
    mutant[at] = (mutant[at] ?? 0) ^ (1 << (at % 8));
    const verified = await verifyCheckpoint(new TextDecoder("utf-8", { ignoreBOM: true }).decode(mutant), { origin: "log.example/one", vkeys: [log.vkey] });
    expect(verified.ok, `byte ${at}`).toBe(false);
  }
});

test("of a checkpoint with a stranger's signature, a mutant is rejected or says exactly the same", async () => {
  const signed = utf8(formatNote(text, [log.line(text), stranger.line(text)]));
  const trust = { origin: "log.example/one", vkeys: [log.vkey] };
  const original = await verifyCheckpoint(new TextDecoder().decode(signed), trust);
  const strangerFrom = signed.lastIndexOf(0x0a, signed.length - 2) + 1;
  for (let at = 0; at < signed.length; at += 1) {
    const mutant = Uint8Array.from(signed);
    mutant[at] = (mutant[at] ?? 0) ^ (1 << (at % 7));
    const verified = await verifyCheckpoint(new TextDecoder("utf-8", { ignoreBOM: true }).decode(mutant), trust);
    if (!verified.ok) continue;
    expect(at).toBeGreaterThanOrEqual(strangerFrom);
    expect(verified).toEqual(original);
  }
});

test("the checkpoint of another log is refused, although its key signed it", async () => {
  const other = formatCheckpoint({ origin: "log.example/other", size: 1, root: new Uint8Array(32) });
  expect(await verifyCheckpoint(formatNote(other, [log.line(other)]), { origin: "log.example/one", vkeys: [log.vkey] })).toMatchObject({ code: "checkpoint_origin" });
});

test("a checkpoint's text comes back, and malformed ones are refused", () => {
  expect(parseCheckpoint(text)).toMatchObject({ ok: true, value: { origin: "log.example/one", size: 20_852_163, extensions: [] } });
  const root = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
  expect(fromBase64(root).ok).toBe(true);
  for (const bad of ["", "o\n1\n", `o\n1\n${root}`, `\n1\n${root}\n`, `o\n01\n${root}\n`, `o\n-1\n${root}\n`, `o\n1e3\n${root}\n`, `o\n9007199254740992\n${root}\n`, `o\n1\n${root.slice(4)}\n`, `o\n1\n${root}\n\n`, `o\n1\n${root.replace("wc=", "wd=")}\n`]) {
    expect(parseCheckpoint(bad)).toMatchObject({ ok: false });
  }
  expect(() => formatCheckpoint({ origin: "a\nb", size: 1, root: new Uint8Array(32) })).toThrow(TypeError);
  expect(() => formatCheckpoint({ origin: "a", size: 1.5, root: new Uint8Array(32) })).toThrow(TypeError);
});

test("no text makes the parser throw", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom("\n", "— ", "a", " ", "A=", "\u0001", "\ud800") })), (garbage) => {
      const result = parseNote(garbage);
      expect(typeof result.ok).toBe("boolean");
    }),
  );
  expect(parseNote(formatNote("x\n", Array.from({ length: 65 }, () => log.line("x\n"))))).toMatchObject({ code: "note_signatures" });
  expect(parseNote("a".repeat(2_000_000))).toMatchObject({ code: "note_too_large" });
});
