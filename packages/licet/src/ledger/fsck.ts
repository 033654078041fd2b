import { parseLeaf } from "@licet/evidence";
import { LogPruned, LogRestored } from "@licet/contract";
import { LicetError } from "../base/errors.ts";
import type { Entry } from "./entry.ts";
import { examineLog, type LogExamination } from "./examine.ts";
import type { Frame } from "./frame.ts";
import type { Keyring } from "./keyring.ts";
import { minimumIndexName, readMinimumIndex } from "./prune.ts";
import { openEntry } from "./sealing.ts";
import type { ShardList } from "./shard-list.ts";

/** Something wrong, named so that a person can look at it. */
export interface Finding {
  /** Below the data directory, or `keys` and `licet.db`. */
  readonly file: string;
  readonly offset: number | null;
  readonly entry: number | null;
  readonly what: string;
}

export interface FsckOptions extends LogExamination {
  readonly keyring: Keyring;
  /** How far the database follows the log; absent when there is none to look at. */
  readonly cursors?: { readonly applied: number; readonly projected: number } | undefined;
}

export interface FsckReport {
  readonly entries: number;
  readonly erased: number;
  readonly shards: number;
  readonly findings: readonly Finding[];
}

/** What a damaged log can produce many of; the rest is counted. */
const findingsMax = 10_000;
const erasureKinds = new Set(["payload.erased", "retention.applied"]);

interface Seen {
  readonly firsts: Map<number, Entry>;
  /** Keys that an entry says were destroyed. */
  readonly destroyed: Set<string>;
  /** The first entry under each destroyed key. */
  readonly closed: Map<string, number>;
  readonly findings: Finding[];
  minimumIndex: number;
  erased: number;
}

/** Derives everything of the log again, from journal and signed checkpoints, and compares. Reads only. */
export async function fsckLog(options: FsckOptions): Promise<FsckReport> {
  const seen: Seen = { firsts: new Map(), destroyed: new Set(), closed: new Map(), findings: [], minimumIndex: 0, erased: 0 };
  const examination = examineLog({ ...options, isDestroyed: (kid) => options.keyring.isDestroyed(kid), onEntry: (index, frame) => look(options.keyring, seen, { index, frame }) });
  let step = await examination.next();
  for (; step.done !== true; step = await examination.next()) {
    const { path, flaws } = step.value;
    for (const { offset, what, lost } of flaws) add(seen, { file: `log/${path}`, offset, entry: null, what: lost === undefined ? what : `${what}; ${lost} is at stake` });
  }
  const { size, shards } = step.value;
  chain(seen, shards);
  erasures(seen);
  await minimum(options, seen);
  cursors(options, seen, size);
  return { entries: size, erased: seen.erased, shards: shards.length, findings: seen.findings };
}

function add(seen: Seen, finding: Finding): void {
  if (seen.findings.length < findingsMax) seen.findings.push(finding);
}

/** Opens what its key still opens; a payload whose key is gone has to have been erased by an entry of the log. */
function look(keyring: Keyring, seen: Seen, { index, frame }: { readonly index: number; readonly frame: Frame }): void {
  const leaf = parseLeaf(frame.leaf);
  if (!leaf.ok) return add(seen, { file: "log/journal", offset: null, entry: index, what: `the entry does not parse: ${leaf.message}` });
  const { kid } = leaf.value.payload;
  try {
    remember(seen, index, openEntry(keyring, frame));
  } catch (error) {
    if (!(error instanceof LicetError)) throw error;
    if (error.code === "payload_erased") {
      seen.erased += 1;
      seen.closed.set(kid, seen.closed.get(kid) ?? index);
    } else add(seen, { file: error.code === "keys_missing" ? "keys" : "log/journal", offset: null, entry: index, what: error.message });
  }
}

function remember(seen: Seen, index: number, { kind, body, ...entry }: Entry): void {
  if (kind === "log.restored") seen.firsts.set(index, { ...entry, kind, body });
  if (kind === "log.pruned") seen.minimumIndex = LogPruned.parse(body).minimumIndex;
  const keys = erasureKinds.has(kind) && Array.isArray(body["keys"]) ? body["keys"] : [];
  for (const key of keys) if (typeof key === "string") seen.destroyed.add(key);
}

/** Each shard begins with the entry that cites the one before, as the list of shards does. */
function chain(seen: Seen, shards: ShardList): void {
  for (const { name, base, previous, discarded } of shards) {
    const body = LogRestored.safeParse(seen.firsts.get(base)?.body).data;
    const said = body && JSON.stringify([body.previous.origin, body.previous.size, body.previous.root, body.discarded]);
    if (!previous || said === JSON.stringify([previous.origin, previous.size, previous.root, discarded])) continue;
    add(seen, { file: "log/shards.json", offset: null, entry: base, what: `the shard \`${name}\` does not begin with an entry that cites what the list of shards says` });
  }
}

function erasures(seen: Seen): void {
  for (const [kid, entry] of seen.closed) {
    if (!seen.destroyed.has(kid)) add(seen, { file: "keys", offset: null, entry, what: `the key \`${kid}\` was destroyed, and no entry says so` });
  }
}

async function minimum({ files, folder }: FsckOptions, seen: Seen): Promise<void> {
  const file = `log/${minimumIndexName}`;
  try {
    const found = await readMinimumIndex(files, folder);
    if (found !== seen.minimumIndex) add(seen, { file, offset: 0, entry: null, what: `${seen.minimumIndex} is expected, as the newest \`log.pruned\` says, and there is ${found}` });
  } catch (error) {
    if (!(error instanceof LicetError)) throw error;
    add(seen, { file, offset: 0, entry: null, what: `${error.message}; ${seen.minimumIndex} is expected` });
  }
}

function cursors({ cursors: at }: FsckOptions, seen: Seen, size: number): void {
  const newest = at && Math.max(at.applied, at.projected);
  if (newest !== undefined && newest >= size) add(seen, { file: "licet.db", offset: null, entry: newest, what: `the database has applied entry ${newest}, and the log ends before entry ${size}` });
}
