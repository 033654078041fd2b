import { Producer, type RouteAnswer } from "@licet/contract";
import { isRecord } from "@licet/evidence";
import type { ResultRow } from "./store.ts";

export type CheckRow = RouteAnswer<"returnResults">["items"][number];

/** A stored result as routes show it; `names` gives e-mail addresses by person id where they are wanted. */
export function checkRow(row: ResultRow, names?: ReadonlyMap<string, string>): CheckRow {
  const result: unknown = JSON.parse(row.result);
  return {
    id: row.id,
    release: row.release,
    checkId: row.check_id,
    verdict: row.verdict,
    producer: Producer.parse(row.producer),
    producedBy: names?.get(row.produced_by) ?? row.produced_by,
    at: row.produced_at,
    entry: row.entry,
    result: isRecord(result) ? { ...result } : {},
  };
}
