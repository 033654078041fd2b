import { Envelope } from "@licet/contract";
import { pae, parseJson, type Envelope as SignedEnvelope, type SignerKey } from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import { signatureHolds } from "../ledger/signer.ts";

/** What signs: the statement key, which is local and so signs at once. */
export type SignEnvelope = (payloadType: string, payload: Uint8Array) => SignedEnvelope;

/** Bound to its purpose: no message of one kind passes for another, and none for a statement. */
export const messageTypes = {
  feed: "application/vnd.licet.gateway-feed+json",
  request: "application/vnd.licet.gateway-request+json",
  answer: "application/vnd.licet.gateway-answer+json",
} as const;
export type MessageType = keyof typeof messageTypes;

/** One line of JSON: a DSSE envelope around the message. */
export function signedText(sign: SignEnvelope, type: MessageType, message: unknown): string {
  return JSON.stringify(sign(messageTypes[type], Buffer.from(JSON.stringify(message))));
}

export interface Opened {
  readonly payload: unknown;
  readonly keyid: string;
}

/** Undefined where it is no such message, or where none of these keys has signed it. */
export function openSigned(value: unknown, type: MessageType, keys: readonly SignerKey[]): Opened | undefined {
  const envelope = Envelope.safeParse(value);
  if (!envelope.success || envelope.data.payloadType !== messageTypes[type]) return undefined;
  const [signature] = envelope.data.signatures;
  const key = keys.find(({ keyid }) => keyid === signature?.keyid);
  if (signature === undefined || key === undefined) return undefined;
  const payload = Buffer.from(envelope.data.payload, "base64");
  const holds = signatureHolds({ algorithm: "ed25519", publicKey: key.publicKey }, pae(envelope.data.payloadType, payload), Buffer.from(signature.sig, "base64"));
  const message = holds ? parsedJson(payload.toString("utf8")) : undefined;
  return message === undefined ? undefined : { payload: message, keyid: key.keyid };
}

/** Who has signed decides which key counts, so the payload is read before; nothing else may be done with it. */
export function claimed(value: unknown): unknown {
  const envelope = Envelope.safeParse(value);
  return envelope.success ? parsedJson(Buffer.from(envelope.data.payload, "base64").toString("utf8")) : undefined;
}

export function parsedJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

export function feedRefused(message: string, cause?: unknown): LicetError {
  return new LicetError("gateway_feed_refused", { message, ...(cause === undefined ? {} : { cause }) });
}
