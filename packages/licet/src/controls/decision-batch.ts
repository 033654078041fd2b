import { batchCountMax, decisionBatchRoot, leafHash, outcomeKind, type Statement } from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import { digestSubject, publishedStatement } from "../ledger/entry-statement.ts";

/** A record that a gateway has numbered. */
export interface NumberedRecord {
  readonly index: number;
  readonly seq: number;
  readonly kind: string;
  readonly leaf: Uint8Array;
  /** Null when the content was erased. */
  readonly decision: "allow" | "deny" | null;
}

export interface BatchOf {
  readonly origin: string;
  readonly space: string;
  readonly gateway: string;
  readonly from: number;
  readonly to: number;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
}

/** What a body says was decided; of an outcome or an erased record nothing. */
export function decisionIn(body: Readonly<Record<string, unknown>> | undefined): "allow" | "deny" | null {
  const said = body?.["decision"];
  return said === "allow" || said === "deny" ? said : null;
}

/** Says that the records from one number to another are all of them. Throws `decisions_incomplete`, `export_too_large`. */
export function decisionBatchStatement(records: readonly NumberedRecord[], of: BatchOf): Statement {
  const wanted = records.filter(({ seq }) => of.from <= seq && seq <= of.to).toSorted((left, right) => left.seq - right.seq);
  refuseGaps(wanted, of);
  const decisions = wanted.filter(({ kind }) => kind !== outcomeKind);
  const counted = (word: "allow" | "deny" | null): number => decisions.filter(({ decision }) => decision === word).length;
  const indices = wanted.map(({ index }) => index);
  const root = decisionBatchRoot(wanted.map(({ leaf }) => leafHash(leaf)));
  return publishedStatement("decision-batch", digestSubject(of.gateway, root), {
    ...of,
    count: wanted.length,
    decisions: { allow: counted("allow"), deny: counted("deny"), unknown: counted(null) },
    outcomes: wanted.length - decisions.length,
    root,
    firstIndex: indices.reduce((left, right) => Math.min(left, right), Infinity),
    lastIndex: indices.reduce((left, right) => Math.max(left, right), -1),
  });
}

function refuseGaps(sorted: readonly NumberedRecord[], { gateway, from, to }: BatchOf): void {
  if (to - from + 1 > batchCountMax) throw new LicetError("export_too_large", { message: `one statement is over at most ${batchCountMax} records` });
  const gap = sorted.findIndex(({ seq }, at) => seq !== from + at);
  const missing = gap === -1 ? from + sorted.length : from + gap;
  if (sorted.length === 0 || gap !== -1 || missing <= to) {
    throw new LicetError("decisions_incomplete", { message: `number ${missing} of \`${gateway}\` is missing or stands twice`, at: { gateway, number: missing } });
  }
}
