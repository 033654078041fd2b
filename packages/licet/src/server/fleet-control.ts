import { endUserSubject } from "../privacy/erase.ts";
import type { DataPlaneMount } from "../gateway/answer.ts";
import type { GatewayDeps } from "../fleet/gateways.ts";
import { FeedHub } from "../fleet/hub.ts";
import { Intake } from "../fleet/intake.ts";
import { fleetMount } from "../fleet/mount.ts";
import type { SignEnvelope } from "../fleet/signed.ts";
import { keyRotations } from "../fleet/store.ts";
import type { RecordKeeping } from "./record-keeping.ts";

export interface FleetOptions {
  readonly records: RecordKeeping;
  readonly providerKey: (space: string, provider: string) => Promise<string>;
  readonly onFailure: (error: unknown) => void;
}

/** The control plane's side of gateways that run as processes of their own. */
export interface Fleet {
  readonly deps: GatewayDeps;
  readonly mount: DataPlaneMount;
  close(): Promise<void>;
}

export function openFleet({ records, providerKey, onFailure }: FleetOptions): Fleet {
  const { clock, database, definitions, keyring, keys, log, recorder } = records;
  const { read, operational } = database;
  const sign: SignEnvelope = (type, payload) => keys.signEnvelope(type, payload);
  const hub = new FeedHub({ clock, read, recorder, sign, providerKey, log: log.origin, onFailure });
  const intake = new Intake({ recorder, read, operational, definitions });
  const deps: GatewayDeps = { recorder, read, controlKeyId: keys.statementKeyId, connected: (gateway) => hub.connected(gateway) };
  const mount = fleetMount({
    deps,
    clock,
    hub,
    intake,
    sign,
    keys: () => records.trustFile().statementKeys.map(({ keyid, publicKey }) => ({ keyid, publicKey })),
    rotations: async () => (await Promise.all((await keyRotations(read)).map(({ space, index }) => recorder.readAt(space, index)))).flatMap((entry) => (entry?.body["statement"] === undefined ? [] : [entry.body["statement"]])),
    endUser: (space, user) => endUserSubject(keyring, space, user),
    onFailure,
  });
  return { deps, mount, close: () => hub.close() };
}
