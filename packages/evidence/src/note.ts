import { concat, fromBase64, toBase64, toHex, utf8 } from "./bytes.ts";
import { messageOf } from "./cosignature.ts";
import { verifyEd25519 } from "./ed25519.ts";
import { verifyMlDsa44, type CheckMlDsa44, type SignatureCheck } from "./ml-dsa.ts";
import { parsed, refused, type Parsed, type Refused } from "./parsed.ts";
import { isKeyName, keyHashBytes, type CosignatureType, type Vkey } from "./vkey.ts";

/** Post-quantum signatures take 5 kB each; C2SP asks for room for at least 16. */
export const noteCharsMax = 1 << 20;
const signaturesMax = 64;
const timestampBytes = 8;

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
  return `— ${by.name} ${toBase64(concat(keyHashBytes({ name: by.name, publicKey: by.publicKey }), by.signature))}\n`;
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

/** One line without its newline, such as a witness answers. */
export function parseSignatureLine(line: string): Parsed<NoteSignature> {
  const [dash, name = "", encoded = "", ...rest] = line.split(" ");
  const bytes = fromBase64(encoded);
  if (dash !== "—" || rest.length > 0 || !isKeyName(name) || !bytes.ok || bytes.value.length < 5) {
    return refused("note_signature_malformed", "a signature line of the note is malformed");
  }
  return parsed({ name, keyHash: toHex(bytes.value.subarray(0, 4)), signature: bytes.value.subarray(4) });
}

/** A signature that holds. */
export interface VerifiedSignature {
  readonly key: Vkey;
  /** Seconds since the Unix epoch, as the cosigner says; 0 where an `ml-dsa-44` cosigner says none; absent of an `ed25519` key. */
  readonly timestamp?: number;
}

export interface CheckedNote {
  readonly text: string;
  /** By known keys, in the order of the note; each key at most once. */
  readonly signatures: readonly VerifiedSignature[];
  /** Known keys whose signatures are there, but which this platform cannot check. They count for nothing. */
  readonly unsupported: readonly Vkey[];
}

export interface VerifiedNote extends CheckedNote {
  /** Names of the trusted keys whose signatures hold; never empty. */
  readonly signers: readonly string[];
}

/** What the platform can check; for the tests of a platform without ML-DSA. */
export interface SignatureChecks {
  readonly mlDsa44?: CheckMlDsa44;
}

/**
 * Ignores signatures of unknown keys; refuses if one of a known key fails or stands there twice, or if none of a known
 * key could be verified.
 */
export async function verifyNote(signed: string, vkeys: readonly Vkey[], checks: SignatureChecks = {}): Promise<Parsed<VerifiedNote>> {
  const note = await checkNote(signed, vkeys, checks);
  if (!note.ok) return note;
  const signers = [...new Set(note.value.signatures.map(({ key }) => key.name))];
  if (signers.length > 0) return parsed({ ...note.value, signers });
  return note.value.unsupported.length > 0
    ? refused("note_signature_unsupported", "this platform cannot check the signatures of the note: use Node 24.15 or later")
    : refused("note_signature_missing", "no trusted key has signed the note");
}

/** As `verifyNote`, but takes a note without any known signature as well. */
export async function checkNote(signed: string, vkeys: readonly Vkey[], checks: SignatureChecks = {}): Promise<Parsed<CheckedNote>> {
  const note = parseNote(signed);
  if (!note.ok) return note;
  const signatures: VerifiedSignature[] = [];
  const unsupported: Vkey[] = [];
  for (const line of note.value.signatures) {
    const key = vkeys.find((vkey) => vkey.name === line.name && vkey.keyHash === line.keyHash);
    if (key === undefined) continue;
    if ([...signatures.map((other) => other.key), ...unsupported].includes(key)) return refused("note_signature_twice", `the key of \`${key.name}\` has signed the note twice`);
    const claim = claimOf(key, note.value.text, line.signature);
    const checked = claim === undefined ? "wrong" : await check(claim, checks);
    if (checked === "wrong" || claim === undefined) return wrongSignature(key);
    if (checked === "unsupported") unsupported.push(key);
    else signatures.push(claim.timestamp === undefined ? { key } : { key, timestamp: claim.timestamp });
  }
  return parsed({ text: note.value.text, signatures, unsupported });
}

function wrongSignature(key: Vkey): Refused {
  return refused("note_signature_wrong", `the signature by \`${key.name}\` does not fit the note`);
}

interface SignatureClaim {
  readonly key: Vkey;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  readonly timestamp?: number;
}

/** What would have to be signed; undefined if the signature cannot be one of this key's. */
function claimOf(key: Vkey, text: string, signature: Uint8Array): SignatureClaim | undefined {
  return key.type === "ed25519" ? { key, message: utf8(text), signature } : cosignatureClaim({ key, type: key.type }, text, signature);
}

function cosignatureClaim({ key, type }: { readonly key: Vkey; readonly type: CosignatureType }, text: string, stamped: Uint8Array): SignatureClaim | undefined {
  if (stamped.length <= timestampBytes) return undefined;
  const timestamp = Number(new DataView(stamped.buffer, stamped.byteOffset).getBigUint64(0));
  const message = messageOf({ type, name: key.name, text, timestamp });
  return message.ok ? { key, message: message.value, signature: stamped.subarray(timestampBytes), timestamp } : undefined;
}

async function check({ key, message, signature }: SignatureClaim, { mlDsa44 = verifyMlDsa44 }: SignatureChecks): Promise<SignatureCheck> {
  const signed = { publicKey: key.publicKey, message, signature };
  if (key.type === "ml-dsa-44") return mlDsa44(signed);
  return (await verifyEd25519(signed)) ? "verified" : "wrong";
}
