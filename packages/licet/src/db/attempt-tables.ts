/** Tables of attempts, of what judged them, and of results that were made again; see `tables.ts`. */
export interface CheckAttemptTable {
  space: string;
  ticket: string;
  check_id: string;
  system: string;
  release: string;
  producer: string;
  kind: string;
  version: string;
  subject: string;
  /** Null where only the runner knew. */
  data: string | null;
  configuration: string;
  /** JSON: digests of data sets. */
  reads: string;
  attempt_index: number;
  alpha: number;
  /** JSON: results, and tickets of attempts without one. */
  previous: string;
  seed: string;
  drawn_as: string;
  repeats: string | null;
  result: string | null;
  /** 1 where the result has figures: without any, nothing keeps the same data from being tried again, as another attempt. */
  stands: number;
  reserved_at: number;
  entry: string;
}

export interface DatasetUseTable {
  space: string;
  system: string;
  digest: string;
  ticket: string;
  used_at: number;
}

export interface CheckRepeatTable {
  space: string;
  id: string;
  system: string;
  release: string;
  ticket: string;
  check_id: string;
  reported: string;
  repeat: string | null;
  /** JSON: how it was drawn; null where another producer's run was held against it. */
  drawn: string | null;
  agrees: number;
  /** JSON: sentences. */
  differences: string;
  repeated_at: number;
  entry: string;
  /** Why it was not made within its time; null where it was made. */
  voided: string | null;
}
