import type { CiProvenance } from "@licet/contract";
import type { CiRegistration } from "../store.ts";
import { claimText } from "./rules.ts";

type Claims = Readonly<Record<string, unknown>>;

const charactersMax = 1_000;

function text(claims: Claims, name: string): string | null {
  const value = Object.hasOwn(claims, name) ? claimText(claims[name]) : undefined;
  return value === undefined || value === "" || value.length > charactersMax ? null : value;
}

/** Who or what began the run, by the names that issuers give it. */
const actorClaims = ["actor", "actor_id", "event_name", "runner_environment", "user_login", "user_id", "user_email", "pipeline_source"] as const;

export function actorOf(claims: Claims): Record<string, string> {
  return Object.fromEntries(actorClaims.flatMap((name) => (text(claims, name) === null ? [] : [[name, text(claims, name) ?? ""]])));
}

/** Where people read the run: made from what the issuer signed, never taken from what the job says. */
function runUrlOf({ kind, issuer }: CiRegistration, repository: string, runId: string | null): string | null {
  if (runId === null || !/^\d{1,20}$/u.test(runId) || !/^[\w.-]+(?:\/[\w.-]+)+$/u.test(repository)) return null;
  const { origin, hostname } = new URL(issuer);
  if (kind === "github") return `${hostname === "token.actions.githubusercontent.com" ? "https://github.com" : origin}/${repository}/actions/runs/${runId}`;
  return kind === "gitlab" ? `${issuer.replace(/\/+$/u, "")}/${repository}/-/pipelines/${runId}` : null;
}

/** `undefined` where a claim that a rule fits is too long to be recorded. */
export function provenanceOf(registration: CiRegistration, claims: Claims, run: string): CiProvenance | undefined {
  const { names, issuer, id } = registration;
  const [repository, ref, workflow] = [names.repository, names.ref, names.workflow].map((name) => text(claims, name));
  if (typeof repository !== "string" || typeof ref !== "string" || typeof workflow !== "string") return undefined;
  const commit = text(claims, names.commit);
  const runId = text(claims, names.run);
  const isCommit = commit !== null && /^[0-9a-f]{7,64}$/u.test(commit);
  return { run, registration: id, issuer, repository, ref, workflow, commit: isCommit ? commit : null, runId, runUrl: runUrlOf(registration, repository, runId) };
}

const Address = /^[^\s@<>]{1,64}@[^\s@<>]{1,189}$/u;

/** E-mail addresses of authors, each once: those that the job names, and whom the issuer itself names. */
export function authorsOf(claims: Claims, named: readonly string[]): readonly string[] {
  const signed = text(claims, "user_email");
  const all = [...named, ...(signed !== null && Address.test(signed) ? [signed] : [])];
  return [...new Set(all.map((address) => address.toLowerCase()))].sort();
}
