/** Tables of CI registrations and of the runs that they admitted; see `tables.ts`. */
export interface CiRegistrationTable {
  space: string;
  id: string;
  system: string;
  kind: string;
  issuer: string;
  audience: string;
  /** JSON: which claims say repository, ref, workflow, commit and run. */
  names: string;
  /** JSON: the rules. */
  claims: string;
  allow_private: number;
  registered_by: string;
  registered_at: number;
  request: string;
  outcome: string;
  removed_by: string | null;
  removed_at: number | null;
  removed_because: string | null;
  entry: string;
}

export interface CiRunTable {
  space: string;
  id: string;
  registration: string;
  system: string;
  token_use: string;
  secret_digest: string;
  /** JSON: what its issuer signed of where it comes from. */
  provenance: string;
  /** JSON: e-mail addresses. */
  authors: string;
  exchanged_at: number;
  expires_at: number;
  ticket: string | null;
  replayed_at: number | null;
  entry: string;
}
