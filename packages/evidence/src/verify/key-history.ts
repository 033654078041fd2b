import { canonicalize, isRecord } from "../canonical.ts";
import { extendTrust } from "../key-history.ts";
import { keyHistoryPath, parseJsonFile } from "../pack.ts";
import { parsed, refused, type Parsed } from "../parsed.ts";
import type { Trust } from "../trust.ts";
import { keyRotatedKind, type OpenedEntry } from "./entries.ts";
import { count, fail, pass, type Finding } from "./report.ts";
import type { PackSource } from "./source.ts";

/** Ten thousand statements, which is as many as are followed. */
const historyBytesMax = 64 * 1024 * 1024;

export interface KnownKeys {
  /** With the keys that the history leads to. */
  readonly trust: Trust;
  readonly envelopes: readonly unknown[];
}

/**
 * The keys that the trust file lists, and those that they lead to by signed statements. Read before anything else,
 * because the export itself may be signed by a newer key.
 */
export async function readKeyHistory(source: PackSource, trust: Trust): Promise<Parsed<KnownKeys>> {
  const bytes = await source.read(keyHistoryPath, historyBytesMax);
  if (bytes === undefined) return parsed({ trust, envelopes: [] });
  const json = parseJsonFile(bytes);
  if (!json.ok) return json;
  const envelopes = isRecord(json.value) && Object.keys(json.value).length === 1 ? json.value["envelopes"] : undefined;
  if (!Array.isArray(envelopes)) return refused("key_history_malformed", `\`${keyHistoryPath}\` is not a list of envelopes`);
  const extended = await extendTrust(trust, envelopes);
  return extended.ok ? parsed({ trust: extended.value, envelopes }) : extended;
}

/** A key counts only if the log says so too: whoever holds a replaced key could otherwise name another successor to somebody. */
export function checkKeyHistory(before: Trust, { trust, envelopes }: KnownKeys, opened: readonly OpenedEntry[]): readonly Finding[] {
  if (envelopes.length === 0) return [];
  const logged = new Set(opened.filter(({ leaf }) => leaf.kind === keyRotatedKind).map(({ plaintext }) => canonicalize(plaintext.body["statement"] ?? null)));
  const missing = envelopes.findIndex((envelope) => !logged.has(canonicalize(envelope)));
  if (missing >= 0) return [fail("keys", "key_unlogged", `key statement ${missing + 1} is in no entry \`${keyRotatedKind}\` of the export`)];
  const added = countKeys(trust) - countKeys(before);
  const sentence = added === 0 ? "the trust file knows every key of the log's key history" : `${count(added, "key is", "keys are")} newer than the trust file, and signed statements in the log lead from its keys to them`;
  return [pass("keys", sentence)];
}

function countKeys(trust: Trust): number {
  return trust.keys.length + trust.vkeys.length;
}
