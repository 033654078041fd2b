import { readFileSync } from "node:fs";
import { isRecord, parseJson } from "@licet/evidence";
import { decodeJwt } from "jose";
import { LicetError } from "../base/errors.ts";
import { fetchOutbound, openOutbound } from "../base/outbound.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface CiToken {
  readonly text: string;
  /** What it says; nobody has checked it here. */
  readonly claims: Readonly<Record<string, unknown>>;
}

const limits = { connectMs: 10_000, headersMs: 20_000, idleMs: 20_000, totalMs: 30_000, answerBytesMax: 65_536 };

function failed(message: string, cause?: unknown): LicetError {
  return new LicetError("ci_token_request_failed", { message, cause });
}

/** GitHub's token service, at the address that the runner got; on a company's own runners it may be a private one. */
async function fromGithub(address: string, secret: string, audience: string): Promise<string> {
  const url = URL.parse(address);
  if (url === null) throw failed("ACTIONS_ID_TOKEN_REQUEST_URL is no address");
  url.searchParams.set("audience", audience);
  const answer = await asked(url, secret);
  if (answer.status !== 200) throw failed(`GitHub's token service answered with status ${answer.status}`);
  const value = valueIn(answer.body);
  if (value === undefined) throw failed("GitHub's token service answered without a token");
  return value;
}

async function asked(url: URL, secret: string): Promise<{ readonly status: number; readonly body: Uint8Array }> {
  try {
    const outbound = await openOutbound({ baseUrl: url.origin, allow: ["loopback", "private"], limits });
    try {
      return await fetchOutbound(outbound, { method: "GET", path: `${url.pathname}${url.search}`, headers: { accept: "application/json", authorization: `Bearer ${secret}` } });
    } finally {
      await outbound.close();
    }
  } catch (cause) {
    throw failed("GitHub's token service cannot be reached", cause);
  }
}

function valueIn(body: Uint8Array): string | undefined {
  try {
    const parsed: unknown = parseJson(Buffer.from(body).toString("utf8"));
    return isRecord(parsed) && typeof parsed["value"] === "string" ? parsed["value"] : undefined;
  } catch {
    return undefined;
  }
}

/** Why this job has no token, in the words of the CI that it runs on. */
function missing(env: Environment): LicetError {
  if (env["GITHUB_ACTIONS"] === "true") return new LicetError("ci_token_missing", { message: "this job may not ask GitHub for a token: the permission `id-token: write` is missing, or the workflow was started from a fork" });
  if (env["GITLAB_CI"] === "true") return new LicetError("ci_token_missing", { message: "this job has no LICET_OIDC_TOKEN: declare it under `id_tokens:` with the registered audience as `aud:`" });
  return new LicetError("ci_token_missing", { message: "neither GitHub's token service nor LICET_OIDC_TOKEN is there" });
}

function decoded(text: string): CiToken {
  try {
    return { text, claims: decodeJwt(text) };
  } catch (cause) {
    throw new LicetError("ci_token_malformed", { message: "LICET_OIDC_TOKEN, or the answer of the token service, is not a JWT", cause });
  }
}

/** The job's own token: LICET_OIDC_TOKEN where it is set, else from GitHub. Throws `ci_token_missing`, `ci_token_request_failed`, `ci_token_malformed`. */
export async function ciToken(env: Environment, audience: string): Promise<CiToken> {
  const given = env["LICET_OIDC_TOKEN"]?.trim() ?? "";
  if (given !== "") return decoded(given);
  const { ACTIONS_ID_TOKEN_REQUEST_URL: address = "", ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret = "" } = env;
  if (address === "" || secret === "") throw missing(env);
  return decoded(await fromGithub(address, secret, audience));
}

const address = /^[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+$/u;
const eventBytesMax = 4 * 1024 * 1024;
const authorsMax = 50;

/** The commits of a push, as GitHub hands the event to the job. */
function pushed(env: Environment): readonly string[] {
  const file = env["GITHUB_EVENT_PATH"] ?? "";
  if (file === "") return [];
  try {
    const text = readFileSync(file, "utf8");
    const event: unknown = text.length > eventBytesMax ? undefined : parseJson(text);
    const commits: readonly unknown[] = isRecord(event) && Array.isArray(event["commits"]) ? event["commits"] : [];
    return commits.flatMap((commit) => (isRecord(commit) && isRecord(commit["author"]) && typeof commit["author"]["email"] === "string" ? [commit["author"]["email"]] : []));
  } catch {
    // The authors are beside the token: a job without them is no reason to refuse it.
    return [];
  }
}

/** Commit authors that the CI knows of: told to the server, which does not let them approve. */
export function commitAuthors(env: Environment, given: readonly string[]): string[] {
  const gitlab = /<([^<>]+)>\s*$/u.exec(env["CI_COMMIT_AUTHOR"] ?? "")?.[1];
  const all = [...given, ...pushed(env), ...(gitlab === undefined ? [] : [gitlab])];
  return [...new Set(all.map((text) => text.trim().toLowerCase()))].filter((text) => text.length <= 254 && address.test(text)).slice(0, authorsMax);
}
