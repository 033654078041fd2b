import { concat, fromBase64, toBase64, toHex, utf8, type Bytes } from "./bytes.ts";
import { verifyEd25519 } from "./ed25519.ts";
import { parsed, refused, type Parsed } from "./parsed.ts";
import { sha256 } from "./sha256.ts";

/** Post-quantum signatures take 5 kB each; C2SP asks for room for at least 16. */
const noteCharsMax = 1 << 20;
const signaturesMax = 64;
const ed25519Type = 0x01;

/** An Ed25519 verifier key of C2SP signed-note. */
export interface Vkey {
  readonly name: string;
  /** 8 hex digits, computed from name and key. */
  readonly keyHash: string;
  /** 32 bytes, RFC 8032. */
  readonly publicKey: Uint8Array;
}

/** First four bytes of SHA-256(name ‖ newline ‖ 0x01 ‖ key), as 8 hex digits. */
export function noteKeyHash(name: string, publicKey: Uint8Array): string {
  return toHex(keyHashBytes(name, publicKey));
}

function keyHashBytes(name: string, publicKey: Uint8Array): Uint8Array {
  return sha256(concat(utf8(`${name}\n`), Uint8Array.of(ed25519Type), publicKey)).subarray(0, 4);
}

/** `<name>+<key id>+<base64 of 0x01 and the key>`. Throws a TypeError for a name with spaces or `+`, or a key not 32 bytes long. */
export function formatVkey({ name, publicKey }: { readonly name: string; readonly publicKey: Uint8Array }): string {
  if (!isKeyName(name) || publicKey.length !== 32) throw new TypeError("a vkey needs a name without spaces or `+` and a 32-byte key");
  return `${name}+${noteKeyHash(name, publicKey)}+${toBase64(concat(Uint8Array.of(ed25519Type), publicKey))}`;
}

/** Takes Ed25519 keys only, and only if the key id is the one that follows from name and key. */
export function parseVkey(text: string): Parsed<Vkey> {
  const [, name = "", keyHash = "", encoded = ""] = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text) ?? [];
  const material = fromBase64(encoded);
  if (!isKeyName(name) || !material.ok) return refused("vkey_invalid", "the text is not a verifier key");
  const publicKey = material.value.subarray(1);
  if (material.value[0] !== ed25519Type || publicKey.length !== 32) return refused("vkey_unsupported", "the verifier key is not an ed25519 key");
  if (noteKeyHash(name, publicKey) !== keyHash) return refused("vkey_hash_mismatch", "the key id does not belong to this name and key");
  return parsed({ name, keyHash, publicKey });
}

function isKeyName(name: string): boolean {
  return name.length > 0 && name.isWellFormed() && !/[\s+\p{Cc}\p{Z}]/u.test(name);
}

export interface NoteSignature {
  readonly name: string;
  /** 8 hex digits. */
  readonly keyHash: string;
  readonly signature: Uint8Array;
}

export interface Note {
  /** What was signed, with its last newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** One signature line of a note, with its newline. `signature` is Ed25519 over the UTF-8 of the note's text. */
export function formatNoteSignature(by: { readonly name: string; readonly publicKey: Uint8Array; readonly signature: Uint8Array }): string {
  return `— ${by.name} ${toBase64(concat(keyHashBytes(by.name, by.publicKey), by.signature))}\n`;
}

/** A signed note: the text, an empty line, the signature lines. */
export function formatNote(text: string, signatureLines: readonly string[]): string {
  return `${text}\n${signatureLines.join("")}`;
}

/** Splits a signed note (C2SP signed-note v1). Says nothing about its signatures: use `verifyNote`. */
export function parseNote(signed: string): Parsed<Note> {
  if (signed.length > noteCharsMax) return refused("note_too_large", `the note is longer than ${noteCharsMax} characters`);
  if (!signed.isWellFormed() || hasControls(signed)) return refused("note_characters", "the note holds control characters or broken text");
  const split = signed.lastIndexOf("\n\n");
  if (split < 0 || !signed.endsWith("\n")) return refused("note_malformed", "the note has no signature block");
  const lines = signed.slice(split + 2, -1).split("\n");
  if (lines.length > signaturesMax) return refused("note_signatures", `the note has more than ${signaturesMax} signatures`);
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const signature = parseSignatureLine(line);
    if (!signature.ok) return signature;
    signatures.push(signature.value);
  }
  return parsed({ text: signed.slice(0, split + 1), signatures });
}

function hasControls(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 && code !== 0x0a) return true;
  }
  return false;
}

function parseSignatureLine(line: string): Parsed<NoteSignature> {
  const [dash, name = "", encoded = "", ...rest] = line.split(" ");
  const bytes = fromBase64(encoded);
  if (dash !== "—" || rest.length > 0 || !isKeyName(name) || !bytes.ok || bytes.value.length < 5) {
    return refused("note_signature_malformed", "a signature line of the note is malformed");
  }
  return parsed({ name, keyHash: toHex(bytes.value.subarray(0, 4)), signature: bytes.value.subarray(4) });
}

export interface VerifiedNote {
  readonly text: string;
  /** Names of the trusted keys whose signatures hold; never empty. */
  readonly signers: readonly string[];
}

/** Ignores signatures of unknown keys; refuses if one of a known key fails, or if none of a known key is there. */
export async function verifyNote(signed: string, vkeys: readonly Vkey[]): Promise<Parsed<VerifiedNote>> {
  const note = parseNote(signed);
  if (!note.ok) return note;
  const message: Bytes = utf8(note.value.text);
  const signers = new Set<string>();
  for (const signature of note.value.signatures) {
    const key = vkeys.find((vkey) => vkey.name === signature.name && vkey.keyHash === signature.keyHash);
    if (key === undefined) continue;
    const holds = await verifyEd25519({ publicKey: key.publicKey, signature: signature.signature, message });
    if (!holds) return refused("note_signature_wrong", `the signature by \`${key.name}\` does not fit the note`);
    signers.add(key.name);
  }
  return signers.size === 0
    ? refused("note_signature_missing", "no trusted key has signed the note")
    : parsed({ text: note.value.text, signers: [...signers] });
}
