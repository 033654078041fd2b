import { randomBytes } from "node:crypto";
import { ProviderRegistered, type ProviderKind, type RouteRequest } from "@licet/contract";
import { classifyAddress } from "../base/address.ts";
import { LicetError } from "../base/errors.ts";
import type { Recorder } from "../ledger/recorder.ts";
import { findProvider, findProviderKey, removeProviderKey, saveProviderKey, type Reader } from "./store.ts";

export interface ProviderDeps {
  readonly recorder: Recorder;
  readonly read: Reader;
  /** Autocommit writes of operational tables: the sealed keys. */
  readonly operational: Reader;
  readonly sealSecret: (purpose: string, secret: string) => string;
  readonly openSecret: (purpose: string, sealed: string) => string;
}

type Asked = RouteRequest<"registerProvider">["body"];

/** What a request for the move holds: all but the key, which waits sealed beside it under `keyRef`; empty for none. */
export type ProviderDetail = Omit<ProviderRegistered, "registeredBy"> & { readonly keyRef: string };

/** The same as it is asked for: what is not there has no field. */
export type PreparedProvider = Omit<ProviderDetail, "kind" | "apiVersion"> & { readonly kind?: ProviderKind; readonly apiVersion?: string };

function purpose(space: string, provider: string): string {
  return `provider ${space}/${provider}`;
}

/** TLS, or this machine: keys and prompts must not be readable on the way. */
function assertDialable(baseUrl: string): void {
  const url = new URL(baseUrl);
  const host = url.hostname.replace(/^\[|\]$/gu, "");
  const loopback = host === "localhost" || classifyAddress(host) === "loopback";
  const fits = url.protocol === "https:" || (url.protocol === "http:" && loopback);
  if (!fits || url.username !== "" || url.search !== "" || url.hash !== "") {
    throw new LicetError("provider_unreachable_address", { message: `\`${baseUrl}\` is not an https address, nor one of this machine` });
  }
}

/** Keeps the key aside under a name of its own: a provider in use goes on with its key until the move is approved. */
export async function prepareProvider(deps: ProviderDeps, space: string, asked: Asked): Promise<PreparedProvider> {
  assertDialable(asked.baseUrl);
  const keyRef = asked.key === "" ? "" : `pending:${randomBytes(12).toString("hex")}`;
  if (keyRef !== "") {
    await saveProviderKey(deps.operational, { space, provider: keyRef, sealed: deps.sealSecret(purpose(space, asked.id), asked.key), updated_at: deps.recorder.now() });
  }
  const { id, kind, apiVersion, vendor, region, allowPrivate } = asked;
  const dialect = kind === "anthropic" ? kind : "openai";
  return { id, dialect, ...(kind !== "openai" && { kind }), ...(apiVersion !== undefined && { apiVersion }), baseUrl: asked.baseUrl.replace(/\/+$/u, ""), vendor, region, allowPrivate, keyRef };
}

function isSame(there: NonNullable<Awaited<ReturnType<typeof findProvider>>>, body: ProviderRegistered): boolean {
  const place = there.base_url === body.baseUrl && there.vendor === body.vendor && there.region === body.region && there.allow_private === (body.allowPrivate ? 1 : 0);
  return place && there.dialect === (body.kind ?? body.dialect) && there.api_version === (body.apiVersion ?? "");
}

/**
 * Carries out an approved registration. Idempotent: after a crash it is called again for the same request.
 * INVARIANT: a key goes to no address that it was not given for, so it leaves before a new address and comes after it.
 */
export async function carryOutProvider(deps: ProviderDeps, space: string, given: { readonly detail: ProviderDetail; readonly by: string; readonly entry: string }): Promise<void> {
  const { keyRef, ...rest } = given.detail;
  const body = ProviderRegistered.parse({ ...rest, registeredBy: given.by });
  const { kind, apiVersion, ...plain } = body;
  const before = await findProvider(deps.read, space, body.id);
  if (before !== undefined && before.base_url !== body.baseUrl) await removeProviderKey(deps.operational, space, body.id);
  await deps.recorder.commit(async (tx) => {
    const there = await findProvider(tx, space, body.id);
    if (there !== undefined && isSame(there, body)) return { nothing: undefined };
    return { entry: { kind: "provider.registered", space, actor: given.by, subject: "space", class: "governance", body: { ...plain, ...(kind !== undefined && { kind }), ...(apiVersion !== undefined && { apiVersion }) } }, value: undefined };
  });
  const sealed = keyRef === "" ? undefined : await findProviderKey(deps.operational, space, keyRef);
  if (sealed === undefined) return;
  await saveProviderKey(deps.operational, { space, provider: body.id, sealed, updated_at: deps.recorder.now() });
  await removeProviderKey(deps.operational, space, keyRef);
}

/** The key as the provider takes it; empty where it takes none. */
export async function providerKey(deps: ProviderDeps, space: string, provider: string): Promise<string> {
  const sealed = await findProviderKey(deps.operational, space, provider);
  return sealed === undefined ? "" : deps.openSecret(purpose(space, provider), sealed);
}
