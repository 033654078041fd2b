/** Tables of policies, the decision API and spaces; see `tables.ts`. */
export interface PolicyPublicationTable {
  space: string;
  id: string;
  digest: string;
  previous: string | null;
  occasion: string;
  request: string | null;
  outcome: string;
  approvals: string;
  packs: string;
  composed: string;
  changed: string;
  comment: string;
  compiled_by: string;
  published_by: string;
  published_at: number;
  entry: string;
}

export interface PolicyEntityTable {
  space: string;
  type: string;
  id: string;
  entity: string;
  entry: string;
  updated_at: number;
}

export interface PolicyClientTable {
  space: string;
  id: string;
  name: string;
  digest: string;
  created_by: string;
  created_at: number;
  expires_at: number;
  revoked_at: number | null;
  entry: string;
}

export interface SpaceTable {
  name: string;
  title: string;
  created_by: string;
  created_at: number;
  entry: string;
}

export interface PolicyMismatchTable {
  space: string;
  id: string;
  bundle: string;
  ours: string;
  reference: string;
  request: string;
  found_at: number;
  entry: string;
}

export interface BacktestTable {
  space: string;
  id: string;
  asked_by: string;
  asked_at: number;
  candidate_digest: string;
  candidate: string;
  active_digest: string;
  from_time: number;
  to_time: number;
  system: string | null;
  state: string;
  cursor: number;
  progress: string;
  tally: string | null;
  report: string | null;
  error: string | null;
  entry: string | null;
}
