import { packPayloadType, parseLeaf, type Envelope } from "@licet/evidence";
import type { PackedEntry, PackSource } from "../controls/audit-pack.ts";
import type { Keyring } from "../ledger/keyring.ts";
import type { EvidenceLog } from "../ledger/log.ts";
import type { Recorder } from "../ledger/recorder.ts";
import { discloseFrame } from "../ledger/sealing.ts";

export interface PackParts {
  readonly log: EvidenceLog;
  readonly keyring: Keyring;
  readonly recorder: Recorder;
  readonly signPack: (payloadType: string, payload: Uint8Array) => Envelope;
}

async function* entriesOf(parts: PackParts, space: string, size: number): AsyncGenerator<PackedEntry> {
  let index = -1;
  for await (const frame of parts.log.scan(0, size)) {
    index += 1;
    const leaf = parseLeaf(frame.leaf);
    if (!leaf.ok || leaf.value.space !== space) continue;
    const entry = await parts.recorder.readAt(space, index);
    if (entry === undefined) continue;
    const { ciphertext, key } = discloseFrame(parts.keyring, frame);
    yield { index, entry, leaf: frame.leaf, ciphertext, key };
  }
}

/** The log as an audit pack reads it. What a pack discloses is one payload's key at a time, never a key of keys. */
export function packSource(parts: PackParts): PackSource {
  return {
    origin: parts.log.origin,
    publish: () => parts.log.publish(),
    entries: (space, size) => entriesOf(parts, space, size),
    proof: (index, size) => parts.log.inclusionProof(index, size),
    signPack: (payload) => parts.signPack(packPayloadType, payload),
  };
}

