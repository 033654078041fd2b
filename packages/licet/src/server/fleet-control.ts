import { endUserSubject } from "../privacy/erase.ts";
import type { DataPlaneMount } from "../gateway/answer.ts";
import { boundInRecord } from "../gateway/files/entries.ts";
import type { GatewayDeps } from "../fleet/gateways.ts";
import { FeedHub } from "../fleet/hub.ts";
import { Intake } from "../fleet/intake.ts";
import { fleetMount } from "../fleet/mount.ts";
import { ShareDesk } from "../fleet/share-desk.ts";
import type { SignEnvelope } from "../fleet/signed.ts";
import { keyRotations } from "../fleet/store.ts";
import type { RecordKeeping } from "./record-keeping.ts";

export interface FleetOptions {
  readonly records: RecordKeeping;
  readonly providerKey: (space: string, provider: string) => Promise<string>;
  /** Where people open what a refusal names. */
  readonly consoleUrl?: string | undefined;
  readonly onFailure: (error: unknown) => void;
}

/** The control plane's side of gateways that run as processes of their own. */
export interface Fleet {
  readonly deps: GatewayDeps;
  readonly mount: DataPlaneMount;
  /** Divides budgets among them and this process. */
  readonly desk: ShareDesk;
  close(): Promise<void>;
}

export async function openFleet({ records, providerKey, consoleUrl, onFailure }: FleetOptions): Promise<Fleet> {
  const { clock, database, definitions, keyring, keys, log, recorder } = records;
  const { read, operational } = database;
  const sign: SignEnvelope = (type, payload) => keys.signEnvelope(type, payload);
  const hub = new FeedHub({ clock, read, recorder, sign, providerKey, log: log.origin, consoleUrl, onFailure });
  const desk = await ShareDesk.open({ recorder, read, operational, clock, onFailure });
  const intake = new Intake({ recorder, read, operational, definitions, onTaken: (gateway) => desk.taken(gateway) });
  const deps: GatewayDeps = { recorder, read, controlKeyId: keys.statementKeyId, connected: (gateway) => hub.connected(gateway) };
  const mount = fleetMount({
    deps,
    clock,
    hub,
    intake,
    desk,
    sign,
    keys: () => records.trustFile().statementKeys.map(({ keyid, publicKey }) => ({ keyid, publicKey })),
    rotations: async () => (await Promise.all((await keyRotations(read)).map(({ space, index }) => recorder.readAt(space, index)))).flatMap((entry) => (entry?.body["statement"] === undefined ? [] : [entry.body["statement"]])),
    endUser: (space, user) => endUserSubject(keyring, space, user),
    bound: boundInRecord({ read, recorder }),
    onFailure,
  });
  return {
    deps,
    mount,
    desk,
    close: () => {
      desk.close();
      return hub.close();
    },
  };
}
