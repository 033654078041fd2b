import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { toBase64, utf8 } from "./bytes.ts";
import { cosign, type Cosigner } from "./cosignature.ts";
import { pae, statementKeyId, type Envelope } from "./dsse.ts";
import { formatNoteSignature } from "./note.ts";
import type { Parsed } from "./parsed.ts";
import { formatEnvelope, statementBytes, statementPayloadType, type Statement } from "./statement.ts";
import { formatVkey, parseVkey, type CosignatureType, type Vkey } from "./vkey.ts";

/** The value, or an error that ends the test. */
export function valid<T>(result: Parsed<T>): T {
  if (!result.ok) throw new Error(`${result.code}: ${result.message}`);
  return result.value;
}

export function rawKey(key: KeyObject): Uint8Array {
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  return new Uint8Array(spki.subarray(key.asymmetricKeyType === "ml-dsa-44" ? -1312 : -32));
}

export interface LogSignerFixture {
  readonly vkey: Vkey;
  /** The key as a trust file lists it. */
  readonly text: string;
  readonly line: (text: string) => string;
}

/** Signs notes with Ed25519; the seed makes the key the same in every run. */
export function ed25519Signer(name: string, seed?: number): LogSignerFixture {
  const privateKey = seed === undefined ? generateKeyPairSync("ed25519").privateKey : seededKey(seed);
  const publicKey = rawKey(privateKey);
  const text = formatVkey({ name, publicKey });
  return { text, vkey: valid(parseVkey(text)), line: (note) => formatNoteSignature({ name, publicKey, signature: sign(null, utf8(note), privateKey) }) };
}

function seededKey(seed: number): KeyObject {
  const head = Buffer.from("302e020100300506032b657004220420", "hex");
  return createPrivateKey({ key: Buffer.concat([head, Buffer.alloc(32, seed)]), format: "der", type: "pkcs8" });
}

export interface CosignerFixture {
  readonly vkey: Vkey;
  readonly text: string;
  /** A cosignature line; the time in seconds. */
  readonly line: (text: string, timestamp?: number) => Promise<string>;
}

export const someTime = 1_750_000_000;

/** Cosigns checkpoints with either algorithm, by node:crypto. */
export function cosigner(name: string, type: CosignatureType): CosignerFixture {
  const { privateKey } = type === "ml-dsa-44" ? generateKeyPairSync("ml-dsa-44") : generateKeyPairSync("ed25519");
  const by: Cosigner = { type, name, publicKey: rawKey(privateKey) };
  const text = formatVkey(by);
  return { text, vkey: valid(parseVkey(text)), line: (note, timestamp = someTime) => cosign({ by, text: note, timestamp, sign: (message) => sign(null, message, privateKey) }) };
}

export interface StatementSigner {
  readonly keyid: string;
  readonly publicKey: Uint8Array;
  readonly privateKey: KeyObject;
}

export function statementSigner(): StatementSigner {
  const { privateKey } = generateKeyPairSync("ed25519");
  const publicKey = rawKey(privateKey);
  return { keyid: statementKeyId(publicKey), publicKey, privateKey };
}

export function signStatement(statement: Statement, signers: readonly StatementSigner[]): Envelope {
  const message = pae(statementPayloadType, statementBytes(statement));
  return formatEnvelope(statement, signers.map(({ keyid, privateKey }) => ({ keyid, sig: toBase64(sign(null, message, privateKey)) })));
}

/** Every text that differs from `text` in one bit of one byte and is still UTF-8. */
export function* mutants(text: string, step = 1): Generator<{ readonly at: number; readonly mutant: string }> {
  const bytes = utf8(text);
  for (let at = 0; at < bytes.length; at += step) {
    const changed = Uint8Array.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 7));
    yield { at, mutant: new TextDecoder("utf-8", { ignoreBOM: true }).decode(changed) };
  }
}
