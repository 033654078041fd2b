import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { GatewayView, RouteAnswer } from "@licet/contract";
import { parseJson, parseTrust } from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { Recorder } from "../ledger/recorder.ts";
import { findGateway, findGatewayByName, listGateways, logInUse, shipments, type GatewayRow, type Reader } from "./store.ts";
import { joinTokenMs, type JoinRequest } from "./wire.ts";

export interface GatewayDeps {
  readonly recorder: Recorder;
  readonly read: Reader;
  /** SHA-256 of the key that signs for the control plane, in hex: a token names it, so that nobody else can answer. */
  readonly controlKeyId: string;
  /** Whether its feed is open now. */
  readonly connected: (gateway: string) => boolean;
}

function digestOfSecret(secret: string): string {
  return `sha256:${createHash("sha256").update(secret).digest("hex")}`;
}

export async function addGateway(deps: GatewayDeps, { space, name, by }: { readonly space: string; readonly name: string; readonly by: string }): Promise<RouteAnswer<"addGateway">> {
  const secret = randomBytes(32).toString("base64url");
  const { value } = await deps.recorder.commit(async (tx, time) => {
    if ((await findGatewayByName(tx, space, name)) !== undefined) throw new LicetError("gateway_exists", { message: `there is already a gateway \`${name}\` in this space` });
    const gateway = newId("gwy", time);
    const body = { gateway, name, tokenDigest: digestOfSecret(secret), tokenExpiresAt: time + joinTokenMs, addedBy: by };
    return { entry: { kind: "gateway.added", space, actor: by, subject: "space", class: "governance", body }, value: { gateway, expiresAt: body.tokenExpiresAt } };
  });
  const token = `lgw.${value.gateway}.${secret}.${deps.controlKeyId}`;
  return { gateway: await viewOf(deps, await needGateway(deps, space, name)), token, expiresAt: value.expiresAt };
}

export async function removeGateway(deps: GatewayDeps, { space, name, reason, by }: { readonly space: string; readonly name: string; readonly reason: string; readonly by: string }): Promise<GatewayView> {
  await deps.recorder.commit(async (tx) => {
    const row = await findGatewayByName(tx, space, name);
    if (row === undefined) throw new LicetError("not_found", { message: `there is no gateway \`${name}\` in this space` });
    if (row.removed_at !== null) return { nothing: undefined };
    return { entry: { kind: "gateway.removed", space, actor: by, subject: "space", class: "governance", body: { gateway: row.id, name, reason, removedBy: by } }, value: undefined };
  });
  return viewOf(deps, await needGateway(deps, space, name));
}

/** Uses the token. INVARIANT: in one transaction with its check, so that it works once. Throws `gateway_join_refused`. */
export async function joinWithToken(deps: Pick<GatewayDeps, "recorder">, asked: JoinRequest): Promise<GatewayRow> {
  const refused = (message: string): LicetError => new LicetError("gateway_join_refused", { message });
  const trust = parseTrust(asked.trust);
  if (!trust.ok || trust.value.origin !== asked.logOrigin) throw refused("the gateway's own trust file does not hold together");
  const { value } = await deps.recorder.commit(async (tx, time) => {
    const row = await findGateway(tx, asked.gateway);
    const fits = row !== undefined && sameText(row.token_digest, digestOfSecret(asked.secret));
    if (!fits || row.removed_at !== null) throw refused("no gateway waits for this token");
    if (row.joined_at !== null) throw refused("this token was used before");
    if (time >= row.token_expires_at) throw refused("this token has run out");
    if (await logInUse(tx, asked.logOrigin)) throw refused("another gateway has joined with this log");
    const body = { gateway: row.id, name: row.name, publicKey: asked.publicKey, logOrigin: asked.logOrigin, trust: asked.trust };
    return { entry: { kind: "gateway.joined", space: row.space, actor: row.id, subject: "space", class: "governance", body }, value: { ...row, public_key: asked.publicKey } };
  });
  return value;
}

function sameText(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}

async function needGateway(deps: Pick<GatewayDeps, "read">, space: string, name: string): Promise<GatewayRow> {
  const row = await findGatewayByName(deps.read, space, name);
  if (row === undefined) throw new LicetError("not_found", { message: `there is no gateway \`${name}\` in this space` });
  return row;
}

export async function gatewayList(deps: GatewayDeps, space: string): Promise<{ items: GatewayView[] }> {
  const rows = await listGateways(deps.read, space);
  return { items: await Promise.all(rows.map((row) => viewOf(deps, row))) };
}

async function viewOf({ recorder, read, connected }: GatewayDeps, row: GatewayRow): Promise<GatewayView> {
  const taken = await shipments(read, row.space, row.id);
  return {
    id: row.id,
    name: row.name,
    state: stateOf(row, recorder.now()),
    addedBy: row.added_by,
    addedAt: row.added_at,
    joinedAt: row.joined_at,
    removedAt: row.removed_at,
    log: row.log_origin,
    connected: connected(row.id),
    taken: taken.reduce((sum, { next_index }) => sum + next_index, 0),
    seenAt: taken.length === 0 ? null : Math.max(...taken.map(({ seen_at }) => seen_at)),
    entry: row.entry,
  };
}

function stateOf(row: GatewayRow, now: number): GatewayView["state"] {
  if (row.removed_at !== null) return "removed";
  if (row.joined_at !== null) return "joined";
  return now < row.token_expires_at ? "awaited" : "expired";
}

export async function gatewayTrust(deps: Pick<GatewayDeps, "read">, space: string, name: string): Promise<RouteAnswer<"showGatewayTrust">> {
  const { trust, joined_entry } = await needGateway(deps, space, name);
  const read = trust === null ? undefined : parseTrust(trust);
  if (trust === null || joined_entry === null || read?.ok !== true) throw new LicetError("not_found", { message: `the gateway \`${name}\` has not joined yet` });
  return { trust: parseJson(trust), fingerprint: read.value.fingerprint, entry: joined_entry };
}
