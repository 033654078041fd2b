import { LicetError } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import type { Keys } from "../ledger/keys.ts";
import { statementKeyId } from "@licet/evidence";
import { fetchOutbound } from "../base/outbound.ts";
import { ControlLine, refusedBy } from "./control-line.ts";
import { writeMembership, type Membership } from "./membership.ts";
import { feedRefused, openSigned, parsedJson, claimed } from "./signed.ts";
import { JoinAnswer } from "./wire.ts";

export interface Joining {
  readonly control: string;
  readonly ca?: string | undefined;
  readonly token: string;
  readonly keys: Keys;
  readonly clock: Clock;
}

/** `lgw.GATEWAY.SECRET.KEYID`: which gateway, that it may join, and whose answer counts. */
const tokenPattern = /^lgw\.(?<gateway>gwy_[0-9a-z]{26})\.(?<secret>[\w-]{43})\.(?<keyid>[0-9a-f]{64})$/u;

/**
 * Uses a join token once. The control plane's keys come with its answer, and count because the token names the one that
 * has signed it. Throws `gateway_join_refused`, `gateway_feed_refused`, `unreachable`.
 */
export async function joinControl({ control, ca, token, keys, clock }: Joining): Promise<Membership> {
  const parts = tokenPattern.exec(token.trim())?.groups;
  if (parts === undefined) throw new LicetError("gateway_join_refused", { message: "this is not a join token: it begins with `lgw.`" });
  const { gateway = "", secret = "", keyid = "" } = parts;
  const trust = keys.trustFile();
  const [own] = trust.statementKeys;
  const line = new ControlLine({ control, ca, clock, gateway, sign: (type, payload) => keys.signEnvelope(type, payload), keys: () => [{ keyid, publicKey: Buffer.alloc(0) }] });
  try {
    const { request, nonce } = line.request("join", { secret, publicKey: own?.publicKey ?? "", logOrigin: keys.origin, trust: JSON.stringify(trust) });
    const { status, body } = await fetchOutbound(await line.line("short"), request);
    const value = parsedJson(Buffer.from(body).toString("utf8"));
    if (status !== 200) throw refusedBy(status, value);
    const answer = proven(value, { keyid, nonce });
    const membership = { v: 1, gateway: answer.gateway, name: answer.name, space: answer.space, control, keys: answer.keys } as const;
    await writeMembership(keys.directory, membership);
    return membership;
  } finally {
    await line.close();
  }
}

function proven(value: unknown, { keyid, nonce }: { readonly keyid: string; readonly nonce: string }): ReturnType<typeof JoinAnswer.parse> {
  const said = JoinAnswer.safeParse(claimed(value));
  const named = said.success ? said.data.keys.find((key) => key.keyid === keyid) : undefined;
  const publicKey = Buffer.from(named?.publicKey ?? "", "base64");
  const signed = named !== undefined && statementKeyId(publicKey) === keyid && openSigned(value, "answer", [{ keyid, publicKey }]) !== undefined;
  if (!said.success || !signed || said.data.nonce !== nonce) throw feedRefused("the answer is not signed by the key that the token names");
  return said.data;
}
