import { errorInfo } from "@licet/contract";
import { statementKeyId } from "@licet/evidence";
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import { LicetError } from "../base/errors.ts";
import type { Caller, DataPlaneMount, Inbound } from "../gateway/answer.ts";
import { boundJson } from "../gateway/files/bound-id.ts";
import type { BoundElsewhere } from "../gateway/files/bound-ids.ts";
import { joinWithToken, type GatewayDeps } from "./gateways.ts";
import type { FeedHub } from "./hub.ts";
import type { Intake } from "./intake.ts";
import type { ShareDesk } from "./share-desk.ts";
import { sealPair } from "./key-seal.ts";
import { claimed, openSigned, parsedJson, signedText, type SignEnvelope } from "./signed.ts";
import { findGateway, type GatewayRow } from "./store.ts";
import { BoundRequest, clocksApartMsMax, FeedRequest, fleetPaths, JoinRequest, recordsBytesMax, RecordsRequest, requestBytesMax, sharesBytesMax, SharesRequest, SubjectRequest, type FleetPurpose } from "./wire.ts";

export interface FleetMount {
  readonly deps: Pick<GatewayDeps, "recorder" | "read" | "controlKeyId">;
  readonly clock: Clock;
  readonly hub: FeedHub;
  readonly intake: Intake;
  readonly desk: Pick<ShareDesk, "take">;
  readonly sign: SignEnvelope;
  /** Keys that sign for the control plane, the newest first, raw in base64. */
  readonly keys: () => readonly { readonly keyid: string; readonly publicKey: string }[];
  /** Statements by which its statement keys followed each other, the oldest first. */
  readonly rotations: () => Promise<readonly unknown[]>;
  /** The subject that an end user's words are sealed under. */
  readonly endUser: (space: string, user: string) => Promise<string>;
  /** Ids of files and batches, whichever gateway bound them. */
  readonly bound: BoundElsewhere;
  readonly onFailure: (error: unknown) => void;
}

/** What gateway processes ask of their control plane, on its data plane. Each request is signed by the gateway's own key. */
export function fleetMount(mount: FleetMount): DataPlaneMount {
  const nonces = new Nonces(mount.clock);
  return (inbound, caller) => {
    const purpose = inbound.method === "POST" ? purposes.find((each) => fleetPaths[each] === inbound.path) : undefined;
    return purpose === undefined ? undefined : served({ mount, nonces, inbound, caller }, purpose);
  };
}

const purposes: readonly FleetPurpose[] = ["join", "feed", "records", "shares", "subject", "bound"];

interface Asked {
  readonly mount: FleetMount;
  readonly nonces: Nonces;
  readonly inbound: Inbound;
  readonly caller: Caller;
}

async function served(asked: Asked, purpose: FleetPurpose): Promise<void> {
  try {
    await serve[purpose](asked);
  } catch (error) {
    const coded = error instanceof LicetError ? error : new LicetError("internal", { cause: error });
    if (!(error instanceof LicetError)) asked.mount.onFailure(error);
    const { status, fix } = errorInfo(coded.code);
    asked.caller.json(status, {}, JSON.stringify({ error: { code: coded.code, message: coded.message, fix } }));
  }
}

const serve: Readonly<Record<FleetPurpose, (asked: Asked) => Promise<void>>> = {
  join: async (asked) => {
    const { mount, caller } = asked;
    const value = await bodyOf(asked.inbound, requestBytesMax);
    const request = JoinRequest.safeParse(claimed(value));
    if (!request.success) throw notOne("join");
    const publicKey = Buffer.from(request.data.publicKey, "base64");
    // Signed with the key that it brings: whoever sends it has that key.
    if (openSigned(value, "request", [{ keyid: statementKeyId(publicKey), publicKey }]) === undefined) throw stranger("the request is not signed by the key that it names");
    freshOrThrow(asked, request.data);
    const row = await joinWithToken(mount.deps, request.data);
    caller.json(200, {}, signedText(mount.sign, "answer", { v: 1, nonce: request.data.nonce, gateway: row.id, name: row.name, space: row.space, keys: mount.keys() }));
  },
  feed: async (asked) => {
    const { mount, caller } = asked;
    const { row, request } = await admitted(asked, FeedRequest, requestBytesMax);
    const pair = sealPair();
    mount.hub.open({
      gateway: row.id,
      space: row.space,
      stream: request.nonce,
      key: pair.shared(request.sealKey, request.nonce),
      sealKey: pair.publicKey,
      have: new Set(request.have),
      taken: await mount.intake.taken(row),
      rotations: await mount.rotations(),
      caller,
    });
  },
  records: async (asked) => {
    const { mount, caller } = asked;
    const { row, request } = await admitted(asked, RecordsRequest, recordsBytesMax);
    const next = await mount.intake.take(row, request);
    caller.json(200, {}, signedText(mount.sign, "answer", { v: 1, nonce: request.nonce, next }));
  },
  shares: async (asked) => {
    const { mount, caller } = asked;
    const { row, request } = await admitted(asked, SharesRequest, sharesBytesMax);
    const granted = await mount.desk.take(row, request);
    caller.json(200, {}, signedText(mount.sign, "answer", { v: 1, nonce: request.nonce, number: request.number, granted }));
  },
  subject: async (asked) => {
    const { mount, caller } = asked;
    const { row, request } = await admitted(asked, SubjectRequest, requestBytesMax);
    const subject = await mount.endUser(row.space, request.user);
    caller.json(200, {}, signedText(mount.sign, "answer", { v: 1, nonce: request.nonce, subject }));
  },
  bound: async (asked) => {
    const { mount, caller } = asked;
    const { row, request } = await admitted(asked, BoundRequest, requestBytesMax);
    const { of } = request;
    const found = "id" in of ? [await mount.bound.find({ ...of, space: row.space })] : await mount.bound.list({ ...of, space: row.space });
    const ids = found.flatMap((each) => (each === undefined ? [] : [{ ...boundJson(each), system: each.system }]));
    caller.json(200, {}, signedText(mount.sign, "answer", { v: 1, nonce: request.nonce, ids }));
  },
};

interface Admitted<R> {
  readonly row: GatewayRow;
  readonly request: R;
}

type Asking = { readonly to: string; readonly time: number; readonly nonce: string };

const Named = z.object({ gateway: z.string() });

/** Only a gateway that joined and was not removed, whose key has signed this very request, now, to this control plane. */
async function admitted<R extends Asking>(asked: Asked, schema: z.ZodType<R>, bytesMax: number): Promise<Admitted<R>> {
  const value = await bodyOf(asked.inbound, bytesMax);
  const named = Named.safeParse(claimed(value));
  const row = named.success ? await findGateway(asked.mount.deps.read, named.data.gateway) : undefined;
  if (row === undefined || row.public_key === null || row.removed_at !== null) throw stranger("no gateway of this id has joined, or it was removed");
  const publicKey = Buffer.from(row.public_key, "base64");
  const opened = openSigned(value, "request", [{ keyid: statementKeyId(publicKey), publicKey }]);
  if (opened === undefined) throw stranger("the request is not signed by the gateway's key");
  const request = schema.safeParse(opened.payload);
  if (!request.success) throw notOne("gateway");
  freshOrThrow(asked, request.data);
  return { row, request: request.data };
}

function freshOrThrow({ mount, nonces }: Asked, { to, time, nonce }: Asking): void {
  if (!mount.keys().some(({ keyid }) => keyid === to)) throw stranger("the request is meant for another control plane");
  if (Math.abs(mount.clock.now() - time) > clocksApartMsMax) throw new LicetError("gateway_clock_apart", { at: { apartMilliseconds: mount.clock.now() - time } });
  if (!nonces.take(nonce)) throw stranger("this request was made before");
}

async function bodyOf(inbound: Inbound, bytesMax: number): Promise<unknown> {
  const body = await inbound.body();
  if ("refusal" in body) throw new LicetError(body.refusal.code, { message: body.refusal.message });
  if (body.bytes.length > bytesMax) throw new LicetError("body_too_large");
  return parsedJson(Buffer.from(body.bytes).toString("utf8"));
}

function stranger(message: string): LicetError {
  return new LicetError("gateway_stranger", { message });
}

function notOne(what: string): LicetError {
  return new LicetError("gateway_request_invalid", { message: `this is not a ${what} request that this version of Licet knows` });
}

/** Requests of the last seconds: older ones are refused by their time, so none works twice. */
class Nonces {
  readonly #clock: Clock;
  #since = 0;
  #now = new Set<string>();
  #before = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(nonce: string): boolean {
    const now = this.#clock.now();
    if (Math.abs(now - this.#since) > 2 * clocksApartMsMax) {
      this.#before = this.#now;
      this.#now = new Set();
      this.#since = now;
    }
    if (this.#now.has(nonce) || this.#before.has(nonce)) return false;
    this.#now.add(nonce);
    return true;
  }
}
