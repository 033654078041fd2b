import { parseCheckpoint, type Checkpoint } from "./checkpoint-text.ts";
import { verifyNote, type SignatureChecks, type VerifiedSignature } from "./note.ts";
import { parsed, refused, type Parsed } from "./parsed.ts";
import type { Vkey } from "./vkey.ts";

export { formatCheckpoint, parseCheckpoint, type Checkpoint } from "./checkpoint-text.ts";

/** A key of a log; a rotation gives it the times. */
export type LogKey = Vkey & {
  /** Milliseconds since the Unix epoch; only of a key that came by rotation after the trust file was written. */
  readonly notBefore?: number;
  /** Milliseconds since the Unix epoch; only of a key that was replaced. Its older signatures still count. */
  readonly notAfter?: number;
};

/** Whom to believe about one log. */
export interface LogTrust {
  readonly origin: string;
  /** Keys of the types `ed25519` and `ml-dsa-44`. */
  readonly vkeys: readonly LogKey[];
}

/** `unsupported`: the signature is there, but was not checked, because this platform has no ML-DSA. */
export type MlDsaStanding = "verified" | "unsupported" | "absent-not-required";

export interface VerifiedCheckpoint extends Checkpoint {
  readonly signers: readonly string[];
  /** By the log's keys, Ed25519 and, with its time, ML-DSA-44. */
  readonly signatures: readonly (VerifiedSignature & { readonly key: LogKey })[];
  readonly mldsa: MlDsaStanding;
}

/**
 * Parses a signed checkpoint and accepts it only with this origin and an Ed25519 signature of a listed key. If an
 * `ml-dsa-44` key is listed, one of those must have signed as well, and its signature must hold where the platform can
 * tell. A key that a rotation added where there was none before does not ask for that, because older checkpoints lack it.
 */
export async function verifyCheckpoint(signed: string, trust: LogTrust, checks: SignatureChecks = {}): Promise<Parsed<VerifiedCheckpoint>> {
  const note = await verifyNote(signed, trust.vkeys, checks);
  if (!note.ok) return note;
  const checkpoint = parseCheckpoint(note.value.text);
  if (!checkpoint.ok) return checkpoint;
  if (checkpoint.value.origin !== trust.origin) return refused("checkpoint_origin", `the checkpoint is of the log \`${checkpoint.value.origin}\`, not of \`${trust.origin}\``);
  const { signers, signatures, unsupported } = note.value;
  if (!signatures.some(({ key }) => key.type === "ed25519")) return refused("note_signature_missing", "none of the log's ed25519 keys has signed the checkpoint");
  const mldsa = signatures.some(isMlDsa) ? "verified" : unsupported.length > 0 ? "unsupported" : "absent-not-required";
  const required = trust.vkeys.some((key) => key.type === "ml-dsa-44" && key.notBefore === undefined);
  if (mldsa === "absent-not-required" && required) return refused("checkpoint_mldsa_missing", "the log's ml-dsa-44 key is listed but has not signed the checkpoint");
  return parsed({ ...checkpoint.value, signers, signatures, mldsa });
}

function isMlDsa({ key }: VerifiedSignature): boolean {
  return key.type === "ml-dsa-44";
}
