import type { ErrorTable } from "./table.ts";

/** CI tokens and the one counted run that each may begin. */
export const ciErrors = {
  ci_token_malformed: {
    status: 422,
    what: "what was sent is not an OpenID Connect token that can be checked",
    why: "only a token with an asymmetric signature proves which CI made it",
    fix: "send the CI's own id token, as it came: a signed JWT with `iss`, `aud`, `iat` and `exp`",
  },
  ci_token_expired: {
    status: 401,
    what: "the time of the token is over, or has not begun",
    why: "a token that was lost long ago must open nothing",
    fix: "let the CI make a new token just before `licet check --ci`, and compare the clocks",
  },
  ci_token_refused: {
    status: 401,
    what: "no registration of this system admits this token",
    why: "the answer is the same for an unknown system, issuer, signature or claim, so that nobody learns what is registered",
    fix: "compare the token's claims with `licet ci list`; `licet check --ci` prints both the claims and the register command that fits them",
  },
  ci_audience_refused: {
    status: 401,
    what: "the token was made for another audience than the registered one",
    why: "a token for somebody else, passed on, would open this system too",
    fix: "ask the CI for a token with the registered audience alone: `licet check --ci --audience …`",
  },
  ci_token_replayed: {
    status: 409,
    what: "the token was exchanged already",
    why: "a token begins one run; who found it in a log must not begin another",
    fix: "let the CI make a new token for each `licet check --ci`",
  },
  ci_issuer_unavailable: {
    status: 503,
    what: "the keys of the token's issuer cannot be had",
    why: "a token whose signature was not checked is refused",
    fix: "see that the server reaches the issuer's `/.well-known/openid-configuration` and its keys, then run it again",
  },
  ci_run_over: {
    status: 401,
    what: "the one-run credential is unknown, spent or over",
    why: "it stands for one ticket of one hour, and ends when the ticket comes back, is aborted, or its registration is removed",
    fix: "run `licet check --ci` again with a new token",
  },
  ci_rule_refused: {
    status: 422,
    what: "the registration would let in more than one repository's workflow",
    why: "an issuer such as GitHub signs for everybody: what counts as evidence must name repository, ref and workflow",
    fix: "give repository exactly, and rules for ref and workflow that are more than `*`",
  },
  ci_issuer_refused: {
    status: 422,
    what: "this issuer cannot be registered",
    why: "keys that came over an open line, or from an address inside the network, prove nothing",
    fix: "give the issuer's https address exactly as its tokens have it in `iss`, without query or fragment",
  },
  ci_registrations_full: {
    status: 409,
    what: "the system has as many CI registrations as it may have",
    why: "a list that nobody can read lets in what nobody meant",
    fix: "remove those that are not used any more: `licet ci list`, `licet ci remove`",
  },
  ci_registered_already: {
    status: 409,
    what: "the same registration is in force already",
    why: "two of the same would have to be removed twice",
    fix: "look at `licet ci list`",
  },
  ci_token_missing: {
    status: 401,
    what: "the CI gives this job no token",
    why: "without a token of its issuer nobody can tell a CI run from any other machine",
    fix: "on GitHub add `permissions: { id-token: write, contents: read }` to the job, on GitLab `id_tokens:` with LICET_OIDC_TOKEN; elsewhere set LICET_OIDC_TOKEN",
  },
  ci_token_request_failed: {
    status: 502,
    what: "the CI's token service did not give a token",
    why: "the run cannot say where it comes from, so its results could not count",
    fix: "run the job again; if it stays so, look at the CI's status page and at the job's permissions",
  },
} as const satisfies ErrorTable;
