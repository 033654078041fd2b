import { grantedAto, start, withoutAto } from "../../unit/support/governed.ts";
import type { DeploymentView } from "../../../packages/licet/src/gateway/snapshot.ts";
import type { Row } from "./measure.ts";
import type { Place, Standing } from "./place.ts";
import { releaseOf } from "./surfaces.ts";

const released = (change: Partial<DeploymentView>) => ({ surface }: Place): Standing => ({ release: releaseOf(surface, change) });
const ato = (change: Partial<typeof grantedAto>) => released({ ato: { ...grantedAto, ...change } });
const denied = async () => ({ decision: "deny" as const, reasons: [], errors: [] });

/** Whether the deployment may carry traffic at all. */
export const standingRows: readonly Row[] = [
  { title: "all is in order", expect: "200" },
  { title: "no credential", headers: { authorization: undefined }, expect: "401 `credential_invalid`" },
  { title: "unknown credential", headers: { authorization: "Bearer lic_nobody0123456789" }, expect: "401 `credential_invalid`" },
  { title: "expired credential", standing: { credential: { expiresAt: start } }, expect: "401 `credential_invalid`" },
  { title: "revoked credential", standing: { credential: { revokedAt: start } }, expect: "401 `credential_invalid`" },
  { title: "two credentials at once, as bearer and as `x-api-key`", headers: { "x-api-key": "lic_second0123456789" }, on: ({ surface }) => surface.kind === "anthropic", expect: "401 `credential_invalid`" },
  { title: "hold on the system", standing: { holds: [{ id: "hold_1", scope: "system", system: "helpdesk", reason: "drift" }] }, expect: "403 `held`" },
  { title: "hold on everything", standing: { holds: [{ id: "hold_1", scope: "all", reason: "drift" }] }, expect: "403 `held`" },
  { title: "vendor of the provider suspended", standing: { holds: [{ id: "hold_1", scope: "vendor", vendor: "test", reason: "breach" }] }, expect: "403 `vendor_suspended`" },
  { title: "deployment inactive", standing: released({ active: false }), expect: "403 `deployment_inactive`" },
  { title: "stage without traffic", standing: released({ stage: "retired" }), expect: "403 `deployment_inactive`" },
  { title: "no ATO", standing: ({ surface }) => ({ release: withoutAto(releaseOf(surface)) }), expect: "403 `ato_missing`" },
  { title: "ATO of another environment", standing: ato({ environment: "elsewhere" }), expect: "403 `ato_missing`" },
  { title: "ATO expired", standing: ato({ notAfter: start }), expect: "403 `ato_expired`" },
  { title: "ATO suspended", standing: ato({ state: "suspended" }), expect: "403 `ato_suspended`" },
  { title: "ATO revoked", standing: ato({ state: "revoked" }), expect: "403 `ato_revoked`" },
  { title: "ATO of another release", standing: ato({ release: `sha256:${"9".repeat(64)}` }), expect: "403 `release_mismatch`" },
  { title: "provider not registered", standing: { provider: null }, expect: "403 `provider_unknown`" },
  { title: "provider of another protocol", standing: ({ surface }) => ({ provider: { kind: surface.kind === "openai" ? "anthropic" : "openai" } }), expect: "403 `provider_mismatch`" },
  { title: "provider's region outside the boundary", standing: { provider: { region: "us" } }, expect: "403 `data_outside_boundary`" },
  { title: "provider's address not allowed (cloud metadata)", standing: { provider: { baseUrl: "http://169.254.169.254/v1" } }, expect: "502 `outbound_refused`" },
  { title: "a policy denies", standing: { decide: denied }, expect: "403 `policy_denied`" },
  { title: "a policy cannot be evaluated", standing: { decide: async () => ({ decision: "allow", reasons: [], errors: [{ policy: "odd", message: "type error" }] }) }, expect: "403 `policy_errored`" },
  { title: "the policy engine throws", standing: { decide: () => Promise.reject(new Error("engine lost")) }, expect: "403 `policy_errored`" },
  { title: "no policies are published", standing: { decide: null }, expect: "403 `policy_denied`" },
];

const limited = (release: NonNullable<DeploymentView["budgets"]>["release"]) => ({ surface }: Place): Standing => ({ release: releaseOf(surface, { budgets: { ...(release !== undefined && { release }) } }) });

/** What the call asks for against what the release declares, and what may be spent. */
export const askingRows: readonly Row[] = [
  { title: "undeclared model", variant: "other model", expect: "403 `model_undeclared`" },
  { title: "another version of the model", variant: "other version", expect: "403 `release_mismatch`" },
  { title: "undeclared system prompt", variant: "other prompt", expect: "403 `release_mismatch`" },
  { title: "tool that differs from the release", variant: "other tool", expect: "403 `release_mismatch`" },
  { title: "response format that differs", variant: "other format", expect: "403 `release_mismatch`" },
  { title: "parameter out of its bounds", variant: "out of bounds", expect: "403 `release_mismatch`" },
  { title: "power that the release does not name", variant: "power", expect: { any: "403 `permission_undeclared`", embeddings: "403 `tokens_unscannable`" } },
  { title: "field that nobody checks", variant: "unknown field", expect: "403 `field_unsupported`" },
  { title: "field of a wrong type", variant: "wrong type", expect: "400 `request_unreadable`" },
  { title: "budget of tokens spent", standing: limited({ tokensPerDay: 1 }), expect: { any: "429 `budget_exceeded`", infer: "200" } },
  { title: "budget of money, price not known", standing: limited({ money: { currency: "EUR", microsPerDay: 1_000_000 } }), expect: "403 `price_unknown`" },
  { title: "budget, and nothing bounds the answer", standing: limited({ tokensPerDay: 1_000_000 }), variant: "unbounded", expect: "403 `answer_unbounded`" },
  { title: "too many requests a minute", standing: limited({ requestsPerMinute: 0 }), expect: "429 `rate_exceeded`" },
  { title: "too many at once", standing: limited({ concurrency: 0 }), expect: "429 `concurrency_exceeded`" },
];
