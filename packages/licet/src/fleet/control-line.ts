import { randomBytes } from "node:crypto";
import { isErrorCode } from "@licet/contract";
import type { SignerKey } from "@licet/evidence";
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import { LicetError } from "../base/errors.ts";
import { fetchOutbound, openOutbound, type Outbound, type OutboundRequest } from "../base/outbound.ts";
import { feedRefused, openSigned, parsedJson, signedText, type SignEnvelope } from "./signed.ts";
import { fleetPaths, type FleetPurpose } from "./wire.ts";

/** Of short exchanges; the feed's are its own. */
const limits = { connectMs: 3000, headersMs: 20_000, idleMs: 20_000, totalMs: 30_000, answerBytesMax: 1024 * 1024 };
/** Calls wait for shares, and a next request for the end of this one. */
const shareLimits = { connectMs: 1000, headersMs: 2000, idleMs: 2000, totalMs: 3000, answerBytesMax: 8 * 1024 * 1024 };
/** The feed is silent no longer than a heartbeat; its whole length is bounded only by the timer's own limit. */
const feedLimits = { connectMs: 2000, headersMs: 5000, idleMs: 5000, totalMs: 2_147_483_647, answerBytesMax: Number.MAX_SAFE_INTEGER };

type LineKind = "short" | "shares" | "feed";
const limitsOf = { short: limits, shares: shareLimits, feed: feedLimits };

export interface ControlLineOptions {
  readonly control: string;
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: string | undefined;
  readonly clock: Clock;
  readonly sign: SignEnvelope;
  readonly gateway: string;
  /** Whose signature counts; the first is whom the requests are for. */
  readonly keys: () => readonly SignerKey[];
}

/** Signed requests to the control plane, whose answers count only with its signature and for the request that was made. */
export class ControlLine {
  readonly #options: ControlLineOptions;
  readonly #lines = new Map<LineKind, Promise<Outbound>>();

  constructor(options: ControlLineOptions) {
    this.#options = options;
  }

  /** One request as it travels, and the nonce that answers name. */
  request(purpose: FleetPurpose, body: Readonly<Record<string, unknown>>): { readonly request: OutboundRequest; readonly nonce: string } {
    const { clock, gateway, keys, sign } = this.#options;
    const nonce = randomBytes(16).toString("hex");
    const message = { v: 1, purpose, gateway, to: keys()[0]?.keyid ?? "", time: clock.now(), nonce, ...body };
    return { nonce, request: { method: "POST", path: fleetPaths[purpose], headers: { "content-type": "application/json", accept: "*/*" }, body: signedText(sign, "request", message) } };
  }

  /** Throws `unreachable`, `gateway_feed_refused`, or what the control plane refused with. */
  async ask<S extends z.ZodType<{ readonly nonce: string }>>(purpose: FleetPurpose, body: Readonly<Record<string, unknown>>, answer: S): Promise<z.output<S>> {
    const { request, nonce } = this.request(purpose, body);
    const { status, body: bytes } = await fetchOutbound(await this.line(purpose === "shares" ? "shares" : "short"), request);
    const value = parsedJson(Buffer.from(bytes).toString("utf8"));
    if (status !== 200) throw refusedBy(status, value);
    const parsed = answer.safeParse(openSigned(value, "answer", this.#options.keys())?.payload);
    if (!parsed.success || parsed.data.nonce !== nonce) throw feedRefused("an answer is not signed by the control plane, or answers another request");
    return parsed.data;
  }

  /** Forgotten after a failure, so that the name is resolved again. */
  async line(kind: LineKind): Promise<Outbound> {
    const known = this.#lines.get(kind);
    if (known !== undefined) return known;
    const { control, ca } = this.#options;
    const opening = openOutbound({ baseUrl: control, allow: ["loopback", "private"], limits: limitsOf[kind], ...(ca === undefined ? {} : { ca }) });
    this.#lines.set(kind, opening);
    opening.catch(() => this.#lines.delete(kind));
    return opening;
  }

  async close(): Promise<void> {
    const open = await Promise.allSettled(this.#lines.values());
    this.#lines.clear();
    for (const line of open) if (line.status === "fulfilled") await line.value.close();
  }

  /** For the next attempt. */
  async forget(kind: LineKind): Promise<void> {
    const known = this.#lines.get(kind);
    this.#lines.delete(kind);
    const line = await known?.catch(() => undefined);
    await line?.close();
  }
}

const Refused = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** The control plane's own code where it gave one that this version knows. */
export function refusedBy(status: number, value: unknown): LicetError {
  const refused = Refused.safeParse(value);
  const { code, message } = refused.success ? refused.data.error : { code: "", message: "" };
  return isErrorCode(code) ? new LicetError(code, { message }) : new LicetError("unreachable", { message: `the control plane answered with status ${status}` });
}
