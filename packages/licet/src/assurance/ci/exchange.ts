import type { CiExchanged, CiProvenance, RouteAnswer } from "@licet/contract";
import { LicetError } from "../../base/errors.ts";
import { newId } from "../../base/ids.ts";
import type { Recorder, Work } from "../../ledger/recorder.ts";
import { ciRegistrationsOf, ciRunOfToken, findCiRegistration, type CiRegistration, type Reader } from "../store.ts";
import type { IssuerKeys } from "./issuer-keys.ts";
import { actorOf, authorsOf, provenanceOf } from "./provenance.ts";
import { fitsRules } from "./rules.ts";
import { newRunSecret, runMs, runSecretDigest } from "./run-credential.ts";
import { claimsOf, isTokenFor, readToken, useOf, type UnverifiedToken } from "./token.ts";

export interface ExchangeDeps {
  readonly read: Reader;
  readonly recorder: Recorder;
  readonly issuers: IssuerKeys;
}

export interface ExchangeAsked {
  readonly space: string;
  readonly system: string;
  readonly token: string;
  readonly authors: readonly string[];
}

interface Admitted {
  readonly token: UnverifiedToken;
  readonly registration: CiRegistration;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** One answer for everything that depends on what is registered, so that a refusal tells nothing of it. */
function refused(): LicetError {
  return new LicetError("ci_token_refused");
}

/**
 * The registration that admits a token. Only whoever holds a token that a registered issuer has signed for the
 * registered workflow is told that its audience alone is wrong.
 */
async function admitted({ read, recorder, issuers }: ExchangeDeps, { space, system, token: text }: ExchangeAsked): Promise<Admitted> {
  const token = readToken(text, recorder.now());
  const candidates = (await ciRegistrationsOf(read, space, system)).filter(({ issuer }) => issuer === token.issuer);
  const fitting: Admitted[] = [];
  for (const allowPrivate of new Set(candidates.map(({ allow_private }) => allow_private === 1))) {
    const claims = claimsOf(await issuers.verified(token.text, { url: token.issuer, allowPrivate }));
    const own = candidates.filter((each) => (each.allow_private === 1) === allowPrivate && fitsRules(each.claims, claims));
    fitting.push(...own.map((registration) => ({ token, registration, claims })));
  }
  const found = fitting.find(({ registration, claims }) => isTokenFor(registration.audience, claims));
  if (found !== undefined) return found;
  throw fitting.length > 0 ? new LicetError("ci_audience_refused") : refused();
}

interface Exchanging extends Admitted {
  readonly authors: readonly string[];
  readonly secret: string;
}

function exchanged({ registration, claims, token, authors, secret }: Exchanging, time: number): CiExchanged {
  const provenance: CiProvenance | undefined = provenanceOf(registration, claims, newId("cir", time));
  if (provenance === undefined) throw refused();
  return {
    ...provenance,
    system: registration.system,
    subject: typeof claims["sub"] === "string" ? claims["sub"].slice(0, 1_000) : "",
    actor: actorOf(claims),
    authors: [...authorsOf(claims, authors)],
    tokenDigest: token.digest,
    tokenUse: useOf(token, claims),
    secretDigest: runSecretDigest(secret),
    expiresAt: time + runMs,
  };
}

type Outcome = { readonly is: "exchanged"; readonly body: CiExchanged } | { readonly is: "replayed" };

/** Entered once for each token: who has one could otherwise fill the log with it. */
async function replayed(tx: Reader, { registration, token }: Exchanging, body: CiExchanged): Promise<Work<Outcome> | undefined> {
  const used = await ciRunOfToken(tx, body.tokenUse);
  if (used === undefined) return undefined;
  if (used.replayedAt !== null) return { nothing: { is: "replayed" } };
  const { space, system, id } = registration;
  const told = { run: used.id, registration: id, system, cause: "replayed", tokenDigest: token.digest };
  return { entry: { kind: "ci.refused", space, actor: used.id, system, subject: `system:${system}`, class: "governance", body: told }, value: { is: "replayed" } };
}

/**
 * Exchanges a CI's token for the right to one counted run. The secret is in no record and is told once.
 * Throws `ci_token_malformed`, `ci_token_expired`, `ci_token_refused`, `ci_audience_refused`, `ci_token_replayed`, `ci_issuer_unavailable`.
 */
export async function exchangeToken(deps: ExchangeDeps, asked: ExchangeAsked): Promise<RouteAnswer<"exchangeCiToken">> {
  const found = await admitted(deps, asked);
  const secret = newRunSecret();
  const exchanging = { ...found, authors: asked.authors, secret };
  const { value } = await deps.recorder.commit<Outcome>(async (tx, time) => {
    const { space, id, system } = found.registration;
    // Removed while the issuer was asked for its keys: the removal counts.
    if ((await findCiRegistration(tx, space, id))?.removed_at !== null) throw refused();
    const body = exchanged(exchanging, time);
    const again = await replayed(tx, exchanging, body);
    if (again !== undefined) return again;
    return { entry: { kind: "ci.exchanged", space, actor: body.run, system, subject: `system:${system}`, class: "governance", body }, value: { is: "exchanged", body } };
  });
  if (value.is === "replayed") throw new LicetError("ci_token_replayed");
  const { run, expiresAt, registration, repository, ref, commit } = value.body;
  return { run, secret, expiresAt, registration, repository, ref, commit };
}
