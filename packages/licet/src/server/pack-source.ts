import { digestOfBytes, packPayloadType, type Envelope, type Leaf, type Statement } from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import type { PackSource } from "../controls/audit-pack.ts";
import type { Disclosed, ScannedEntry } from "../controls/pack-content.ts";
import type { Keyring } from "../ledger/keyring.ts";
import type { EvidenceLog, Frame } from "../ledger/log.ts";
import type { Recorder } from "../ledger/recorder.ts";
import { discloseFrame, leafIn, sealedCiphertext } from "../ledger/sealing.ts";

export interface PackParts {
  readonly log: EvidenceLog;
  readonly keyring: Keyring;
  readonly recorder: Pick<Recorder, "readAt">;
  readonly signPack: (payloadType: string, payload: Uint8Array) => Envelope;
  readonly signStatement: (statement: Statement) => Envelope;
}

async function* scan(parts: PackParts, size: number): AsyncGenerator<ScannedEntry> {
  let index = -1;
  for await (const frame of parts.log.scan(0, size)) {
    index += 1;
    const leaf = leafIn(frame);
    const at = index;
    yield { index, leaf, leafBytes: frame.leaf, disclose: () => disclose(parts, { frame, leaf, index: at }) };
  }
}

async function disclose({ keyring, recorder }: PackParts, { frame, leaf, index }: { readonly frame: Frame; readonly leaf: Leaf; readonly index: number }): Promise<Disclosed> {
  try {
    // The key first: a reader's memory may still know what was erased a moment ago.
    const { ciphertext, key } = discloseFrame(keyring, frame);
    const entry = await recorder.readAt(leaf.space, index);
    if (entry === undefined) throw new LicetError("log_damaged", { message: `entry ${index} of the log cannot be read` });
    return { entry, ciphertext, key };
  } catch (error) {
    if (error instanceof LicetError && error.code === "payload_erased") return { entry: undefined, ciphertext: remains(frame, leaf) };
    throw error;
  }
}

/** The ciphertext of an erased payload; undefined once its space was given back. */
function remains(frame: Frame, leaf: Leaf): Uint8Array | undefined {
  const ciphertext = sealedCiphertext(frame);
  return digestOfBytes(ciphertext) === leaf.payload.digest ? ciphertext : undefined;
}

/** The log as an audit pack reads it. What a pack discloses is one payload's key at a time, never a key of keys. */
export function packSource(parts: PackParts): PackSource {
  return {
    origin: parts.log.origin,
    publish: () => parts.log.publish(),
    shards: () => parts.log.shards,
    scan: (size) => scan(parts, size),
    signPack: (payload) => parts.signPack(packPayloadType, payload),
    signStatement: (statement) => parts.signStatement(statement),
  };
}
