import { parseJson } from "@licet/evidence";
import { createLocalJWKSet, errors, jwtVerify, type JWK, type JWTPayload } from "jose";
import { z } from "zod";
import { LicetError } from "../../base/errors.ts";
import { fetchOutbound, openOutbound, type OutboundOptions } from "../../base/outbound.ts";
import { isLoopbackHost } from "./rules.ts";
import { algorithms, clockSkewSeconds } from "./token.ts";

export const keysMax = 100;
const answerBytesMax = 262_144;
const exchangeMsMax = 10_000;
/** A key that an issuer has withdrawn opens nothing after this. */
const keptMs = 600_000;
/** A key that is not among those at hand has them fetched again, but strangers' tokens not all the time. */
const againMs = 30_000;
/** After a failure an issuer is left alone for so long. */
const restMs = 5_000;
const issuersMax = 100;
/** Of a JWK's members: an RSA key of 8192 bits has 1366 characters. */
const memberCharactersMax = 1_400;

export interface Issuer {
  readonly url: string;
  readonly allowPrivate: boolean;
}

export interface IssuerKeysOptions {
  readonly now: () => number;
  readonly outbound?: Pick<OutboundOptions, "resolve" | "ca">;
}

type KeySet = ReturnType<typeof createLocalJWKSet>;
type Known = { readonly at: number; readonly keys: KeySet } | { readonly at: number; readonly failure: LicetError };

const Discovery = z.looseObject({ issuer: z.string(), jwks_uri: z.string().max(2000) });
const KeySetShape = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })).max(keysMax) });

function unavailable(message: string, cause?: unknown): LicetError {
  return new LicetError("ci_issuer_unavailable", { message, cause });
}

/** Public keys only: what is symmetric, or has a private part, proves nothing. */
function isUsable(key: Readonly<Record<string, unknown>>): boolean {
  const asymmetric = key["kty"] === "RSA" || key["kty"] === "EC" || key["kty"] === "OKP";
  const bounded = ["n", "e", "x", "y"].every((member) => typeof key[member] !== "string" || key[member].length <= memberCharactersMax);
  return asymmetric && bounded && !Object.hasOwn(key, "d") && !Object.hasOwn(key, "k");
}

/** The keys of registered issuers, fetched when they are asked for and kept for ten minutes. In doubt there are none. */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions;
  readonly #known = new Map<string, Known>();
  readonly #fetching = new Map<string, Promise<Known>>();

  constructor(options: IssuerKeysOptions) {
    this.#options = options;
  }

  /**
   * The claims of a token that this issuer has signed and whose time is now; `undefined` where it has not.
   * Throws `ci_issuer_unavailable`.
   */
  async verified(token: string, issuer: Issuer): Promise<JWTPayload | undefined> {
    const first = await this.#keysOf(issuer, keptMs);
    const found = await this.#verify(token, issuer, first);
    if (found !== "no key") return found;
    const again = await this.#keysOf(issuer, againMs);
    if (again === first) return undefined;
    const second = await this.#verify(token, issuer, again);
    return second === "no key" ? undefined : second;
  }

  async #verify(token: string, issuer: Issuer, keys: KeySet): Promise<JWTPayload | "no key" | undefined> {
    try {
      const currentDate = new Date(this.#options.now());
      const { payload } = await jwtVerify(token, keys, { algorithms, issuer: issuer.url, clockTolerance: clockSkewSeconds, currentDate, requiredClaims: ["exp", "iat"] });
      return payload;
    } catch (error) {
      return error instanceof errors.JWKSNoMatchingKey ? "no key" : undefined;
    }
  }

  async #keysOf(issuer: Issuer, ageMs: number): Promise<KeySet> {
    const name = JSON.stringify([issuer.url, issuer.allowPrivate]);
    const there = this.#known.get(name);
    const age = there === undefined ? Infinity : this.#options.now() - there.at;
    const known = there !== undefined && age < ("keys" in there ? ageMs : restMs) ? there : await this.#fetched(name, issuer);
    if ("failure" in known) throw known.failure;
    return known.keys;
  }

  /** One at a time for each issuer, however many tokens wait. */
  #fetched(name: string, issuer: Issuer): Promise<Known> {
    const running = this.#fetching.get(name);
    if (running !== undefined) return running;
    const fetching = this.#fetch(issuer)
      .then(
        (keys): Known => ({ at: this.#options.now(), keys }),
        (error: unknown): Known => ({ at: this.#options.now(), failure: error instanceof LicetError && error.code === "ci_issuer_unavailable" ? error : unavailable(`the keys of \`${issuer.url}\` cannot be had`, error) }),
      )
      .then((known) => {
        if (this.#known.size >= issuersMax) this.#known.delete(this.#known.keys().next().value ?? "");
        this.#known.set(name, known);
        return known;
      })
      .finally(() => this.#fetching.delete(name));
    this.#fetching.set(name, fetching);
    return fetching;
  }

  async #fetch(issuer: Issuer): Promise<KeySet> {
    const discovery = Discovery.safeParse(await this.#json(issuer, `${issuer.url.replace(/\/+$/u, "")}/.well-known/openid-configuration`));
    if (!discovery.success) throw unavailable(`\`${issuer.url}\` has no discovery document`);
    if (discovery.data.issuer !== issuer.url) throw unavailable(`the discovery document of \`${issuer.url}\` names another issuer`);
    const keysAt = URL.parse(discovery.data.jwks_uri);
    if (keysAt?.origin !== new URL(issuer.url).origin) throw unavailable(`the keys of \`${issuer.url}\` lie at another origin than the issuer`);
    const set = KeySetShape.safeParse(await this.#json(issuer, keysAt.href));
    if (!set.success) throw unavailable(`\`${issuer.url}\` has no key set, or one of more than ${keysMax} keys`);
    const usable: JWK[] = set.data.keys.filter(isUsable);
    if (usable.length === 0) throw unavailable(`\`${issuer.url}\` has no key that a signature can be checked with`);
    return createLocalJWKSet({ keys: usable });
  }

  async #json(issuer: Issuer, address: string): Promise<unknown> {
    const url = new URL(address);
    const allow = [...(isLoopbackHost(url.hostname) ? ["loopback"] : []), ...(issuer.allowPrivate ? ["private"] : [])];
    const limits = { connectMs: exchangeMsMax, headersMs: exchangeMsMax, idleMs: exchangeMsMax, totalMs: exchangeMsMax, answerBytesMax };
    const outbound = await openOutbound({ baseUrl: url.origin, allow, limits, ...this.#options.outbound });
    try {
      const { status, body } = await fetchOutbound(outbound, { method: "GET", path: `${url.pathname}${url.search}`, headers: { accept: "application/json" } });
      if (status !== 200) throw unavailable(`\`${issuer.url}\` answered with status ${status}`);
      const parsed: unknown = parseJson(Buffer.from(body).toString("utf8"));
      return parsed;
    } finally {
      await outbound.close();
    }
  }
}
