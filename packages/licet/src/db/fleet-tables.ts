/** Tables of gateways that run as processes of their own; see `tables.ts`. */
export interface GatewayTable {
  space: string;
  id: string;
  name: string;
  token_digest: string;
  token_expires_at: number;
  added_by: string;
  added_at: number;
  public_key: string | null;
  log_origin: string | null;
  trust: string | null;
  joined_at: number | null;
  joined_entry: string | null;
  removed_at: number | null;
  entry: string;
}

export interface GatewayShipmentTable {
  space: string;
  gateway: string;
  log: string;
  next_index: number;
  seen_at: number;
}
