import {
  type Checkpoint,
  formatCheckpoint,
  formatNote,
  formatNoteSignature,
  formatVkey,
  noteKeyHash,
  parseNote,
  parseVkey,
  verifyCheckpoint,
  type Vkey,
} from "@licet/evidence";
import { LicetError } from "../base/errors.ts";

/** The log's identity and its key. */
export interface LogSigner {
  /** Name of the log, and of its key: no spaces, no plus. */
  readonly origin: string;
  /** 32 bytes, Ed25519. */
  readonly publicKey: Uint8Array;
  /** 1312 bytes: the ML-DSA-44 key of `moreSignatures`, where there is one. */
  readonly cosignerKey?: Uint8Array;
  /** Ed25519 keys of the log before this one: what they signed stays its own. */
  readonly previousKeys?: readonly Uint8Array[];
  /** Ed25519; a key in a key management service answers later. */
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /** Further signature lines under a checkpoint, each with its newline, such as the log's own ML-DSA-44 cosignature. */
  moreSignatures?(checkpoint: { readonly text: string; readonly size: number; readonly root: Uint8Array }): Promise<readonly string[]>;
}

/** A second place for the last signed checkpoint, so that an older copy of the log is noticed. */
export interface CheckpointMemory {
  /** The signed note as it was given to `set`. */
  get(): Promise<string | undefined>;
  /** Durable when it resolves. */
  set(note: string): Promise<void>;
}

export function vkeyOf(signer: LogSigner): string {
  return formatVkey({ name: signer.origin, publicKey: signer.publicKey });
}

export async function signCheckpoint(signer: LogSigner, tree: { readonly size: number; readonly root: Uint8Array }): Promise<string> {
  const { origin, publicKey } = signer;
  const text = formatCheckpoint({ origin, size: tree.size, root: new Uint8Array(tree.root) });
  const signature = await signer.sign(Buffer.from(text));
  const more = (await signer.moreSignatures?.({ text, ...tree })) ?? [];
  return formatNote(text, [formatNoteSignature({ name: origin, publicKey, signature }), ...more]);
}

/** False for a checkpoint of an earlier key, or without the cosignature that the log makes now: it is to be signed again. */
export function isSignedByCurrent({ origin, publicKey, cosignerKey }: LogSigner, note: string): boolean {
  const parsed = parseNote(note);
  if (!parsed.ok) return false;
  const has = (keyHash: string): boolean => parsed.value.signatures.some((line) => line.name === origin && line.keyHash === keyHash);
  return has(noteKeyHash(origin, publicKey)) && (cosignerKey === undefined || has(noteKeyHash(origin, cosignerKey, "ml-dsa-44")));
}

/** Refuses a checkpoint that no key of this log has signed. */
export async function openCheckpoint(signer: LogSigner, note: string): Promise<Checkpoint> {
  const { origin, publicKey, previousKeys = [] } = signer;
  const keys = [publicKey, ...previousKeys].map((key) => parseVkey(formatVkey({ name: origin, publicKey: key })));
  const vkeys: Vkey[] = keys.flatMap((key) => (key.ok ? [key.value] : []));
  const checkpoint = await verifyCheckpoint(note, { origin, vkeys });
  if (checkpoint.ok) return checkpoint.value;
  throw new LicetError("log_damaged", {
    message: `the stored checkpoint is not one that this log has signed: ${checkpoint.message}`,
    at: { code: checkpoint.code },
  });
}
