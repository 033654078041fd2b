import type { CiClaim, CiClaimNames, CiKind } from "@licet/contract";
import { z } from "zod";
import { UsageError } from "./failure.ts";

export interface RuleOptions {
  readonly kind: CiKind;
  readonly repository?: string;
  readonly ref?: string;
  readonly workflow?: string;
  readonly claim?: readonly string[];
  readonly name?: readonly string[];
  readonly issuer?: string;
}

export const githubIssuer = "https://token.actions.githubusercontent.com";
const gitlabIssuer = "https://gitlab.com";

/** `NAME=VALUE`; the value may hold `=` itself. */
function pair(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  if (at < 1 || at === text.length - 1) throw new UsageError(`\`${text}\`: write NAME=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

export function issuerOf({ kind, issuer }: RuleOptions): string {
  if (issuer !== undefined) return issuer;
  if (kind === "other") throw new UsageError("give --issuer: exactly the `iss` of its tokens");
  return kind === "github" ? githubIssuer : gitlabIssuer;
}

const partNames: Readonly<Record<CiKind, Pick<CiClaimNames, "repository" | "ref" | "workflow">>> = {
  github: { repository: "repository", ref: "ref", workflow: "workflow_ref" },
  gitlab: { repository: "project_path", ref: "ref", workflow: "ci_config_ref_uri" },
  other: { repository: "repository", ref: "ref", workflow: "workflow" },
};

/** A file of the repository becomes the claim's whole value: repository, file and ref. */
function workflowValue(options: RuleOptions): string | undefined {
  const { kind, repository, ref, workflow } = options;
  if (workflow === undefined || workflow.includes("@") || kind === "other") return workflow;
  if (repository === undefined || ref === undefined) throw new UsageError("give --repository and --ref with --workflow, or the claim's whole value");
  if (kind === "github") return `${repository}/${workflow}@${ref}`;
  const branch = ref.startsWith("refs/") ? ref : `refs/heads/${ref}`;
  return `${new URL(issuerOf(options)).host}/${repository}//${workflow}@${branch}`;
}

const Names = z.partialRecord(z.enum(["repository", "ref", "workflow", "commit", "run"]), z.string());

/** Of `other`: which claims say what, where they are not called so. */
export function namesOf({ kind, name }: RuleOptions): CiClaimNames | undefined {
  if (name === undefined) return undefined;
  if (kind !== "other") throw new UsageError("--name is for --kind other");
  const given = Names.safeParse(Object.fromEntries(name.map(pair)));
  if (!given.success) throw new UsageError("--name takes repository, ref, workflow, commit and run");
  return { repository: "repository", ref: "ref", workflow: "workflow", commit: "sha", run: "run_id", ...given.data };
}

/** The rules that the options spell; an explicit --claim stands above a shorthand. */
export function rulesOf(options: RuleOptions): CiClaim[] {
  const names = namesOf(options) ?? partNames[options.kind];
  const short = { repository: options.repository, ref: options.ref, workflow: workflowValue(options) };
  const rules = new Map<string, string>(options.kind === "gitlab" ? [["ref_protected", "true"]] : []);
  for (const part of ["repository", "ref", "workflow"] as const) {
    const value = short[part];
    if (value !== undefined) rules.set(names[part], value);
  }
  for (const rule of options.claim ?? []) rules.set(...pair(rule));
  return [...rules].map(([claim, value]) => ({ claim, value }));
}

const quoted = (text: string): string => (/^[\w./:@=-]+$/u.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

const shownClaims: Readonly<Record<"github" | "gitlab", readonly string[]>> = {
  github: ["iss", "aud", "sub", "repository", "repository_id", "ref", "workflow_ref", "job_workflow_ref", "sha", "run_id", "event_name"],
  gitlab: ["iss", "aud", "sub", "project_path", "ref", "ref_protected", "ref_type", "ci_config_ref_uri", "sha", "pipeline_id"],
};
const neverShown: readonly string[] = ["jti", "user_email", "email"];

type Claims = Readonly<Record<string, unknown>>;

function kindOf(claims: Claims): CiKind {
  if (typeof claims["workflow_ref"] === "string") return "github";
  return typeof claims["project_path"] === "string" ? "gitlab" : "other";
}

function shownText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What a refused token said, and the command that would let in just that. */
export function claimLines(claims: Claims, system: string): readonly string[] {
  const kind = kindOf(claims);
  const names = kind === "other" ? Object.keys(claims).filter((name) => !neverShown.includes(name)) : shownClaims[kind].filter((name) => Object.hasOwn(claims, name));
  const { repository, ref, workflow } = partNames[kind];
  const wanted = [repository, ref, workflow, ...(kind === "gitlab" ? ["ref_protected"] : [])];
  const rules = wanted.map((name) => `--claim ${quoted(`${name}=${Object.hasOwn(claims, name) ? shownText(claims[name]) : "…"}`)}`);
  const { iss, aud } = claims;
  const audience = Array.isArray(aud) && aud.length === 1 ? shownText(aud[0]) : shownText(aud ?? "…");
  return [
    "the token says:",
    ...names.map((name) => `  ${name}: ${shownText(claims[name])}`),
    "to let its runs count, somebody who may register a CI runs (another person approves):",
    `  licet ci register --kind ${kind} --system ${quoted(system)} --issuer ${quoted(shownText(iss ?? "…"))} --audience ${quoted(audience)} ${rules.join(" ")}`,
  ];
}
