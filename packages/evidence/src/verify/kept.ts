import { fromUtf8 } from "../bytes.ts";
import { verifyCheckpoint, type VerifiedCheckpoint } from "../checkpoint.ts";
import { refused, type Parsed } from "../parsed.ts";
import type { Trust } from "../trust.ts";
import { trustOfShard } from "./log-shards.ts";

/** A signed checkpoint, of the log or of any shard that its key signs for. */
export async function readKept(bytes: Uint8Array, trust: Trust): Promise<Parsed<VerifiedCheckpoint>> {
  const text = fromUtf8(bytes);
  if (!text.ok) return text;
  // Not signed yet: it only says whose key to verify with.
  const origin = text.value.split("\n", 1)[0] ?? "";
  const signers = trustOfShard(trust, origin);
  return signers === undefined ? verifyUnderLog(text.value, trust) : verifyCheckpoint(text.value, signers);
}

/** Of no shard of this log, so the log's own key decides what is wrong with it. */
async function verifyUnderLog(text: string, trust: Trust): Promise<Parsed<VerifiedCheckpoint>> {
  const checkpoint = await verifyCheckpoint(text, trust);
  return checkpoint.ok ? refused("checkpoint_origin", `it is not of the log \`${trust.origin}\``) : checkpoint;
}
