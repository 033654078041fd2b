import { GatewayAdded, GatewayJoined, GatewayRemoved } from "@licet/contract";
import type { EntryDefinition } from "../ledger/recorder.ts";
import { endGateway, insertGateway, joinGateway } from "./store.ts";

const added: EntryDefinition = {
  kind: "gateway.added",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const { gateway, name, tokenDigest, tokenExpiresAt, addedBy } = GatewayAdded.parse(entry.body);
    const { space, time, id } = entry;
    const unknown = { public_key: null, log_origin: null, trust: null, joined_at: null, joined_entry: null, removed_at: null };
    await insertGateway(tx, { space, id: gateway, name, token_digest: tokenDigest, token_expires_at: tokenExpiresAt, added_by: addedBy, added_at: time, ...unknown, entry: id });
  },
};

const joined: EntryDefinition = {
  kind: "gateway.joined",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const { gateway, publicKey, logOrigin, trust } = GatewayJoined.parse(entry.body);
    await joinGateway(tx, entry.space, { id: gateway, public_key: publicKey, log_origin: logOrigin, trust, joined_at: entry.time, joined_entry: entry.id });
  },
};

const removed: EntryDefinition = {
  kind: "gateway.removed",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const { gateway } = GatewayRemoved.parse(entry.body);
    await endGateway(tx, entry.space, { id: gateway, at: entry.time });
  },
};

export const fleetEntries: readonly EntryDefinition[] = [added, joined, removed];
