import type { CheckBasis } from "@licet/contract";
import { definitionOf } from "../checks/catalogue.ts";
import { decideCounts } from "./decide-counts.ts";
import { type Counts, type Limit, type Outcome, silent } from "./outcome.ts";
import { settle } from "./settle.ts";

/** The verdict on any basis of a record: on plain counts, or on figures by the check that they are of. */
export function decide(basis: CheckBasis, limit: Limit, counts: Counts): Outcome {
  if (basis.kind !== "statistics") return decideCounts(basis, limit, counts);
  return settle(definitionOf(basis.of)?.decide?.(basis, limit) ?? silent("tool_error"), counts);
}
