import { Envelope, Producer, type CiProvenance, type RouteAnswer } from "@licet/contract";
import { isRecord, parseJson } from "@licet/evidence";
import { predicateOf } from "./entries.ts";
import type { ResultRow } from "./store.ts";

export type CheckRow = RouteAnswer<"returnResults">["items"][number];

/** Of producer `ci`: where its run came from, as the signed statement says it. */
export function provenanceOf(row: Pick<ResultRow, "producer" | "statement">): CiProvenance | null {
  return row.producer === "ci" ? (predicateOf(Envelope.parse(parseJson(row.statement))).provenance ?? null) : null;
}

/** A stored result as routes show it; `names` gives e-mail addresses by person id where they are wanted. */
export function checkRow(row: ResultRow, names?: ReadonlyMap<string, string>): CheckRow {
  const result: unknown = parseJson(row.result);
  const provenance = provenanceOf(row);
  return {
    id: row.id,
    release: row.release,
    checkId: row.check_id,
    verdict: row.verdict,
    producer: Producer.parse(row.producer),
    producedBy: provenance?.repository ?? names?.get(row.produced_by) ?? row.produced_by,
    at: row.produced_at,
    entry: row.entry,
    provenance,
    result: isRecord(result) ? { ...result } : {},
  };
}
