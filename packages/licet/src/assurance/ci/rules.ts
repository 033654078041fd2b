import { LicetError, type CiClaim, type CiClaimNames, type CiDetail, type CiKind, type RouteRequest } from "@licet/contract";
import { classifyAddress } from "../../base/address.ts";

type Asked = RouteRequest<"registerCi">["body"];

/** Which claims say what, by whose tokens they are. GitHub names a reusable workflow apart from the one that calls it. */
const presets: Readonly<Record<CiKind, CiClaimNames>> = {
  github: { repository: "repository", ref: "ref", workflow: "workflow_ref", commit: "sha", run: "run_id" },
  gitlab: { repository: "project_path", ref: "ref", workflow: "ci_config_ref_uri", commit: "sha", run: "pipeline_id" },
  other: { repository: "repository", ref: "ref", workflow: "workflow", commit: "sha", run: "run_id" },
};

/** Of these the server itself says what they must be. */
const ownClaims: readonly string[] = ["iss", "aud", "exp", "nbf", "iat", "jti"];

function namesFor({ kind, names, claims }: Asked): CiClaimNames {
  if (names !== undefined && kind !== "other") throw refusedRule(`the preset \`${kind}\` knows its claims: names are for \`other\``);
  const known = names ?? presets[kind];
  const reusable = kind === "github" && !claims.some(({ claim }) => claim === known.workflow) && claims.some(({ claim }) => claim === "job_workflow_ref");
  return reusable ? { ...known, workflow: "job_workflow_ref" } : known;
}

function refusedRule(message: string): LicetError {
  return new LicetError("ci_rule_refused", { message });
}

function isOpen(value: string): boolean {
  return /^\**$/u.test(value);
}

const starsMax = 4;

/** Throws `ci_rule_refused` where the rules would let in more than one repository's workflow. */
function assertNarrow(claims: readonly CiClaim[], names: CiClaimNames): void {
  const rules = new Map(claims.map(({ claim, value }) => [claim, value]));
  if (rules.size !== claims.length) throw refusedRule("a claim has two rules");
  for (const { claim, value } of claims) {
    if (ownClaims.includes(claim)) throw refusedRule(`\`${claim}\` has no rule: the server checks it itself`);
    if (isOpen(value)) throw refusedRule(`the rule for \`${claim}\` lets everything in`);
    if (value.split("*").length - 1 > starsMax) throw refusedRule(`the rule for \`${claim}\` has more than ${starsMax} times \`*\``);
  }
  for (const part of ["repository", "ref", "workflow"] as const) {
    if (!rules.has(names[part])) throw refusedRule(`there is no rule for the ${part}: claim \`${names[part]}\``);
  }
  if (rules.get(names.repository)?.includes("*") === true) throw refusedRule(`the rule for \`${names.repository}\` must name one repository, without \`*\``);
  if (new Set([names.repository, names.ref, names.workflow]).size < 3) throw refusedRule("repository, ref and workflow are three claims");
}

export function isLoopbackHost(host: string): boolean {
  const bare = host.replaceAll(/[[\]]/gu, "");
  return bare === "localhost" || classifyAddress(bare) === "loopback";
}

/** TLS, or this machine: the keys that tokens are checked with must not be changed on the way. */
function assertIssuer(issuer: string): void {
  const url = URL.parse(issuer);
  const fits = url !== null && (url.protocol === "https:" || (url.protocol === "http:" && isLoopbackHost(url.hostname)));
  if (!fits || url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new LicetError("ci_issuer_refused", { message: `\`${issuer}\` is not an https address without credentials, query and fragment, nor one of this machine` });
  }
}

/** What a request for the move holds. Throws `ci_rule_refused`, `ci_issuer_refused`. */
export function ciDetail(asked: Asked): CiDetail {
  const { kind, issuer, audience, claims, allowPrivate } = asked;
  assertIssuer(issuer);
  const names = namesFor(asked);
  assertNarrow(claims, names);
  return { kind, issuer, audience, names: { ...names }, claims: claims.map((rule) => ({ ...rule })), allowPrivate };
}

/** `*` stands for any characters, none included. Linear: of the places where a piece fits, the first is as good as any later. */
export function fitsPattern(pattern: string, text: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}

/** A claim as text: some issuers write flags and numbers as such. Anything else fits no rule. */
export function claimText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "boolean" || (typeof value === "number" && Number.isSafeInteger(value)) ? String(value) : undefined;
}

export function fitsRules(rules: readonly CiClaim[], claims: Readonly<Record<string, unknown>>): boolean {
  return rules.every(({ claim, value }) => {
    const text = Object.hasOwn(claims, claim) ? claimText(claims[claim]) : undefined;
    return text !== undefined && fitsPattern(value, text);
  });
}
