import type { ImportResult } from "./report.ts";

type Reason = Extract<ImportResult, { kind: "refused" }>["reason"];

/** Ends the reading of a report from any depth; `importReport` returns it as a refusal. */
export class ImportRefusal extends Error {
  readonly reason: Reason;

  constructor(reason: Reason, problem: string) {
    super(problem);
    this.reason = reason;
  }
}

export function inconsistent(problem: string): ImportRefusal {
  return new ImportRefusal("inconsistent_import", problem);
}

export function unreadable(problem: string): ImportRefusal {
  return new ImportRefusal("tool_error", problem);
}

export function unfinished(problem: string): ImportRefusal {
  return new ImportRefusal("aborted", problem);
}

/** A total of the report against what its rows give. */
export function requireEqual(what: string, reported: number | null | undefined, counted: number): void {
  if (reported !== undefined && reported !== null && reported !== counted) throw inconsistent(`${what}: the report says ${reported}, its rows give ${counted}`);
}
