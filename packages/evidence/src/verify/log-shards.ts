import type { LogTrust } from "../checkpoint.ts";
import { fromUtf8 } from "../bytes.ts";
import { isRecord } from "../canonical.ts";
import { parsed, refused, type Parsed } from "../parsed.ts";
import { covers, isCount, isText, type Shape } from "../shape.ts";
import { followEachOther, shardName, shardsMax, type LogShard } from "../shard.ts";
import type { Trust } from "../trust.ts";
import { noteKeyHash } from "../vkey.ts";
import type { LogSource } from "./log-source.ts";
import { parseJson } from "../json.ts";

/** The list of shards, at the log's root; not signed, so it only says where to look for what is. */
export const shardsPath = "shards.json";
const shardsBytesMax = 1 << 20;

interface ListedShard {
  readonly name: string;
  readonly origin: string;
  readonly base: number;
  readonly previous: { readonly size: number } | null;
}

const shape: Shape = { name: isText, origin: isText, base: isCount, previous: (value) => value === null || covers(value, { size: isCount }) };

function isListed(value: unknown): value is ListedShard {
  return covers(value, shape);
}

/** Shards in their order: each begins where the one before it ends, only the last one grows. */
export function parseShards(bytes: Uint8Array): Parsed<readonly LogShard[]> {
  const listed = readList(bytes);
  if (listed === undefined) return refused("shards_malformed", `\`${shardsPath}\` is not a list of 1 to ${shardsMax} shards`);
  const shards = listed.map(({ name, origin, base }, at) => ({ name, origin, base, size: listed[at + 1]?.previous?.size ?? null }));
  return followEachOther(shards) ? parsed(shards) : refused("shards_order", "the shards do not follow each other without gap or overlap");
}

function readList(bytes: Uint8Array): readonly ListedShard[] | undefined {
  const text = fromUtf8(bytes);
  let value: unknown;
  try {
    value = parseJson(text.ok ? text.value : "");
  } catch {
    return undefined;
  }
  const list: unknown = isRecord(value) && value["v"] === 1 ? value["shards"] : undefined;
  return Array.isArray(list) && list.length > 0 && list.length <= shardsMax && list.every(isListed) ? list : undefined;
}

/** A log without a list of shards is one tree. */
export async function readShards(source: LogSource, trust: LogTrust): Promise<Parsed<readonly LogShard[]>> {
  const bytes = await source.read(shardsPath, shardsBytesMax);
  if (bytes === undefined) return parsed([{ name: "1", origin: trust.origin, base: 0, size: null }]);
  const shards = parseShards(bytes);
  const origin = shards.ok ? shards.value[0]?.origin : trust.origin;
  return origin === trust.origin ? shards : refused("shards_origin", `the list of shards is of the log \`${origin ?? ""}\`, not of \`${trust.origin}\``);
}

/** Who signs for a shard: what the trust file says, and otherwise the log's own key under a name that begins with the log's. */
export function trustOfShard(trust: Trust, origin: string): LogTrust | undefined {
  const listed = trust.logs.find((log) => log.origin === origin);
  if (listed !== undefined) return listed;
  const name = origin.startsWith(`${trust.origin}/`) ? origin.slice(trust.origin.length + 1) : "";
  if (!shardName.test(name)) return undefined;
  return { origin, vkeys: trust.vkeys.map((key) => ({ ...key, name: origin, keyHash: noteKeyHash(origin, key.publicKey, key.type) })) };
}
