import { checkInclusion } from "../inclusion.ts";
import type { Leaf } from "../leaf.ts";
import { decodePayload, type PackEntry } from "../pack.ts";
import { parsed, refused, type Parsed } from "../parsed.ts";
import { openPayload, type Plaintext } from "../payload.ts";

/** An entry that stands in the log. */
export interface ProvedEntry {
  /** In the whole log. */
  readonly index: number;
  readonly leaf: Leaf;
  readonly payload: PackEntry["payload"];
}

/** An entry whose content is known. */
export interface OpenedEntry extends ProvedEntry {
  readonly plaintext: Plaintext;
}

interface TreeHead {
  readonly shard: { readonly origin: string; readonly base: number };
  readonly size: number;
  readonly root: Uint8Array;
}

/** Proves an exported entry in the tree of its shard. */
export function proveIn({ shard, size, root }: TreeHead, { index, leaf, proof, payload }: PackEntry): Parsed<ProvedEntry> {
  const checkpoint = { origin: shard.origin, size, root, extensions: [] };
  const proved = checkInclusion({ leaf, proof, index: index - shard.base, checkpoint });
  return proved.ok ? parsed({ index, leaf: proved.value, payload }) : proved;
}

/** Opens the payload that came along with its key. */
export async function openShown(entry: ProvedEntry): Promise<Parsed<OpenedEntry>> {
  const { payload } = entry;
  if (payload === undefined || !("key" in payload)) return refused("payload_withheld", "its content is not shown");
  const sealed = decodePayload(payload);
  const plaintext = sealed.ok ? await openPayload({ leaf: entry.leaf, ...sealed.value }) : sealed;
  return plaintext.ok ? parsed({ ...entry, plaintext: plaintext.value }) : plaintext;
}
