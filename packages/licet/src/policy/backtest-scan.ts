import { canonicalize, isRecord, parseJson } from "@licet/evidence";
import { LicetError } from "@licet/contract";
import type { JsonObject } from "../ledger/entry.ts";
import type { Keyring } from "../ledger/keyring.ts";
import type { EvidenceLog } from "../ledger/log.ts";
import { leafIn, openEntry } from "../ledger/sealing.ts";
import type { RecordedDecision } from "./backtest-replay.ts";
import { outcomeMembers } from "./recorded-outcome.ts";
import { decisionsBetween, type Reader } from "./store.ts";

export interface ScanRange {
  readonly space: string;
  /** First moment that counts, in milliseconds. */
  readonly from: number;
  /** First moment that counts no more. */
  readonly to: number;
  /** All systems without. */
  readonly system?: string | undefined;
}

export interface Scanned {
  readonly read: Reader;
  readonly log: Pick<EvidenceLog, "read" | "scan" | "size">;
  readonly keyring: Keyring;
}

export interface Part {
  readonly decisions: readonly RecordedDecision[];
  /** Index behind the last entry that was looked at. */
  readonly end: number;
}

/** Times in the log are almost in order: a command may stand behind others that began up to so long after it. */
const disorderMilliseconds = 600_000;

/** No decision of the period stands before this index, which is found by halving: none enters the log before it is made. */
export async function firstIn({ log }: Pick<Scanned, "log">, { from }: Pick<ScanRange, "from">): Promise<number> {
  let [low, high] = [0, log.size];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const frame = await log.read(middle);
    if (frame !== undefined && leafIn(frame).time < from - disorderMilliseconds) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Entries that are looked at together: of a few thousand bytes each, at most. */
const entriesPerPart = 2048;

/**
 * Recorded decisions in the order of the log, from their rows, which cost a third of opening what is sealed. A few of each
 * part are compared with their entries: throws `record_differs` where a row says otherwise.
 */
export async function* partsIn(scanned: Scanned, range: ScanRange, { from, end }: { readonly from: number; readonly end: number }): AsyncGenerator<Part> {
  const rowsAt = (at: number) => decisionsBetween(scanned.read, range, { first: at, end: Math.min(end, at + entriesPerPart) });
  let next = rowsAt(from);
  for (let at = from; at < end; at += entriesPerPart) {
    const rows = (await next).filter(({ kid }) => !scanned.keyring.isDestroyed(kid));
    // The next are on their way while these are decided.
    if (at + entriesPerPart < end) next = rowsAt(at + entriesPerPart);
    for (let compared = at % Math.min(comparedEach, rows.length || 1); compared < rows.length; compared += comparedEach) await compareRow(scanned, rows[compared]);
    yield { decisions: rows.map(({ id, system, decided_at: time, detail: text }) => ({ id, system, time, text })), end: Math.min(end, at + entriesPerPart) };
  }
}

/** One row in so many, and one of each part at least. */
const comparedEach = 509;

type DecisionRow = Awaited<ReturnType<typeof decisionsBetween>>[number];

/** An entry of an older version has fewer members than its row; those that count have always been there. */
async function compareRow({ log, keyring }: Scanned, row: DecisionRow | undefined): Promise<void> {
  if (row === undefined) return;
  const frame = await log.read(row.log_index);
  if (frame === undefined) throw differs(row);
  // Erased since its row was read.
  if (keyring.isDestroyed(row.kid)) return;
  const { body } = openEntry(keyring, frame);
  const stored: unknown = parseJson(row.detail);
  if (body["id"] !== row.id || !isRecord(stored) || meaning(stored) !== meaning(body)) throw differs(row);
}

function meaning(body: JsonObject | Readonly<Record<string, unknown>>): string {
  return canonicalize(["cedar", ...outcomeMembers].map((name) => body[name] ?? null));
}

function differs({ id, log_index }: DecisionRow): LicetError {
  return new LicetError("record_differs", { message: `the row of the decision \`${id}\` is not what entry ${log_index} of the log says`, at: { id, index: log_index } });
}

/** Decisions whose keys were destroyed: their rows are gone, and their leaves tell only that they were made. */
export async function countErased({ log, keyring }: Scanned, range: ScanRange, { first, end }: { readonly first: number; readonly end: number }): Promise<number> {
  if (keyring.statistics(range.space).runtime.destroyed === 0) return 0;
  const system = range.system === undefined ? undefined : await keyring.pseudonym(range.space, `system:${range.system}`);
  let count = 0;
  for await (const frame of log.scan(first, end)) {
    const leaf = leafIn(frame);
    if (leaf.space !== range.space || !["gateway.decision", "access.decision"].includes(leaf.kind) || !keyring.isDestroyed(leaf.payload.kid)) continue;
    if (leaf.time >= range.from && leaf.time < range.to && (system === undefined || leaf.system === system)) count += 1;
  }
  return count;
}
