import { hash, randomBytes } from "node:crypto";
import { LicetError, type RouteAnswer } from "@licet/contract";
import { newId } from "../base/ids.ts";
import type { Recorder } from "../ledger/recorder.ts";
import { peopleNames } from "../identity/store.ts";
import { findClient, listClients, type ClientRow, type Reader } from "./store.ts";

export interface ClientDeps {
  readonly recorder: Recorder;
  readonly read: Reader;
}

type View = RouteAnswer<"revokeDecisionClient">;

const dayMilliseconds = 86_400_000;

async function views(read: Reader, space: string, rows: readonly ClientRow[]): Promise<readonly View[]> {
  const names = await peopleNames(read, space);
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    issuedBy: names.get(row.created_by) ?? row.created_by,
    issuedAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    entry: row.entry,
  }));
}

async function view(read: Reader, space: string, id: string): Promise<View> {
  const row = await findClient(read, space, id);
  const [shown] = row === undefined ? [] : await views(read, space, [row]);
  if (shown === undefined) throw new LicetError("not_found", { message: `there is no decision client \`${id}\` in this space` });
  return shown;
}

/** The token is in no record and answered once. */
export async function issueClient({ recorder, read }: ClientDeps, asked: { readonly space: string; readonly name: string; readonly days: number; readonly by: string }): Promise<RouteAnswer<"issueDecisionClient">> {
  const { space, name, days, by } = asked;
  const token = `lpd_${randomBytes(32).toString("base64url")}`;
  const { value: id } = await recorder.commit(async (_tx, time) => {
    const client = newId("pep", time);
    const body = { client, name, digest: hash("sha256", token, "hex"), expiresAt: time + days * dayMilliseconds, issuedBy: by };
    return { entry: { kind: "policy.client-issued", space, actor: by, subject: "space", class: "governance", body }, value: client };
  });
  return { client: await view(read, space, id), token };
}

/** From the next snapshot on, within a second, the token opens nothing. Throws `not_found`. */
export async function revokeClient({ recorder, read }: ClientDeps, asked: { readonly space: string; readonly client: string; readonly reason: string; readonly by: string }): Promise<View> {
  const { space, client, reason, by } = asked;
  await recorder.commit(async (tx) => {
    const row = await findClient(tx, space, client);
    if (row === undefined) throw new LicetError("not_found", { message: `there is no decision client \`${client}\` in this space` });
    if (row.revoked_at !== null) return { nothing: undefined };
    return { entry: { kind: "policy.client-revoked", space, actor: by, subject: "space", class: "governance", body: { client, reason, revokedBy: by } }, value: undefined };
  });
  return view(read, space, client);
}

export async function clientPage({ read }: ClientDeps, space: string, page: { readonly cursor?: string | undefined; readonly limit: number }): Promise<RouteAnswer<"listDecisionClients">> {
  const rows = await listClients(read, space, { before: page.cursor, limit: page.limit + 1 });
  const shown = rows.slice(0, page.limit);
  return { items: [...(await views(read, space, shown))], next: rows.length > page.limit ? (shown.at(-1)?.id ?? null) : null };
}
