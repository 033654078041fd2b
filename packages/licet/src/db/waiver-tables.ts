/** Tables of waivers and of what would have been refused under them; see `tables.ts`. */
export interface WaiverTable {
  space: string;
  id: string;
  kind: string;
  system: string;
  environment: string;
  reason: string;
  compensation: string;
  request: string;
  requested_by: string;
  outcome: string;
  /** JSON: the persons whose approvals were spent. */
  approvals: string;
  not_before: number;
  not_after: number;
  ended_at: number | null;
  ended_by: string | null;
  end_cause: string | null;
  end_reason: string | null;
  entry: string;
}

export interface WaiverRefusalTable {
  space: string;
  decision: string;
  code: string;
  policy: string;
  waiver: string;
  decided_at: number;
  kid: string;
}
