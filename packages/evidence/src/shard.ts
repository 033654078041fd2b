/** One tree of a log; each restore from a backup opens a further one. */
export interface LogShard {
  readonly name: string;
  readonly origin: string;
  /** Number of its first entry in the whole log. */
  readonly base: number;
  /** Entries in it; null while it still grows. */
  readonly size: number | null;
}

/** Shards that a verifier follows. */
export const shardsMax = 1000;

/** `<number>-<8 hex digits>`: the last part of a further shard's origin, and its folder. */
export const shardName = /^[1-9]\d{0,5}-[0-9a-f]{8}$/;

/** Where the files of a shard lie below the log's root; the first one's lie there themselves. */
export function shardPrefix(at: number, { name }: { readonly name: string }): string {
  return at === 0 ? "" : `shards/${name}/`;
}

/** True if each shard begins where the one before it ends, under a name that begins with the first one's. */
export function followEachOther(shards: readonly LogShard[]): boolean {
  const [first] = shards;
  return shards.every((shard, at) => {
    const before = shards[at - 1];
    const begins = before === undefined ? shard.base === 0 : before.size !== null && before.base + before.size === shard.base;
    const named = at === 0 || (shardName.test(shard.name) && shard.origin === `${first?.origin ?? ""}/${shard.name}`);
    return begins && named;
  });
}
