/** Ids of files and batches at providers; see `tables.ts`. */
export interface BoundIdTable {
  space: string;
  provider: string;
  id: string;
  entry: string;
  log_index: number;
  ends: number;
  object: string;
  system: string;
  deployment: string;
  release: string;
  detail: string;
  recorded_at: number;
  kid: string;
}
