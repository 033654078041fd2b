import {
  type Checkpoint,
  formatCheckpoint,
  formatNote,
  formatNoteSignature,
  formatVkey,
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

/** Refuses a checkpoint that this log's key has not signed. */
export async function openCheckpoint(signer: LogSigner, note: string): Promise<Checkpoint> {
  const vkey = parseVkey(vkeyOf(signer));
  const vkeys: Vkey[] = vkey.ok ? [vkey.value] : [];
  const checkpoint = await verifyCheckpoint(note, { origin: signer.origin, vkeys });
  if (checkpoint.ok) return checkpoint.value;
  throw new LicetError("log_damaged", {
    message: `the stored checkpoint is not one that this log has signed: ${checkpoint.message}`,
    at: { code: checkpoint.code },
  });
}
