/** Tables of content recording, retention and erasure; see `tables.ts`. */
export interface ContentTable {
  space: string;
  id: string;
  log_index: number;
  kid: string;
  decision: string;
  part: string;
  mode: string;
  truncated: number;
  recorded_at: number;
}

export interface PrivacySettingTable {
  space: string;
  content_modes: string;
  retention_days: string;
  set_by: string;
  set_at: number;
  entry: string;
}

export interface ErasureTable {
  space: string;
  id: string;
  occasion: string;
  state: string;
  body: string;
  intended_at: number;
  done_at: number | null;
  entry: string;
}

export interface ScrubTable {
  id: string;
  due_at: number;
}
