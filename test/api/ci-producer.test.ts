import { createHash, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runOfTicket, runSuite } from "@licet/assurance";
import { ApiError, createClient, type Client } from "@licet/client";
import { AssuranceSection, type AssuranceCheck, type CiClaim, type RouteAnswer } from "@licet/contract";
import { exportSPKI, generateKeyPair, importJWK, SignJWT, UnsecuredJWT, type JWTPayload } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { carryOutRegistration } from "../../packages/licet/src/assurance/ci/registration.ts";
import { runCheck } from "../../packages/licet/src/cli/check.ts";
import { runCiList, runCiRegister } from "../../packages/licet/src/cli/ci.ts";
import { personalDataIn } from "../../packages/licet/src/detect/personal-data.ts";
import { exampleManifest } from "../../packages/licet/src/inventory/example-manifest.ts";
import { bundleOf, readProject } from "../../packages/licet/src/inventory/project.ts";
import { ownIssuers, realIssuer, type OwnIssuers, type RealIssuer } from "./ci-issuers.ts";
import { ciJob, type CiJob } from "./ci-job.ts";
import { install, type Installation } from "./installation.ts";

const rows = "a,b\n1,1\n2,3\n";
const declared = { check: "data.missing", id: "missing", dataset: "rows", max: 0 } as const satisfies AssuranceCheck;
const digest = `sha256:${createHash("sha256").update(rows).digest("hex")}`;
const audience = "https://licet.example.org";
const space = "main";
const params = { space, system: "example" };
const commit = "0123456789abcdef0123456789abcdef01234567";
const workflow = "octo/app/.github/workflows/licet.yml@refs/heads/main";
const claims = { repository: "octo/app", ref: "refs/heads/main", workflow_ref: workflow, sha: commit, run_id: "4711", actor: "octocat", event_name: "push" };
const rules: CiClaim[] = [
  { claim: "repository", value: "octo/app" },
  { claim: "ref", value: "refs/heads/*" },
  { claim: "workflow_ref", value: "octo/app/.github/workflows/licet.yml@*" },
];

/** The machine's clock, which a test can move forward. */
let shift = 0;
const clock = { now: () => Date.now() + shift };
const seconds = (): number => Math.floor(clock.now() / 1000);

let folder: string;
let installation: Installation;
let real: RealIssuer;
let own: OwnIssuers;
let release: string;
let developer: Awaited<ReturnType<Installation["person"]>>;
let engineer: Awaited<ReturnType<Installation["person"]>>;
let owner: Awaited<ReturnType<Installation["person"]>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "licet-ci-"));
  [installation, real, own] = await Promise.all([install({ clock }), realIssuer(), ownIssuers()]);
  developer = await installation.person(space, ["developer"]);
  engineer = await installation.person(space, ["security-engineer"]);
  owner = await installation.person(space, ["security-engineer", "platform-engineer"]);
  const manifest = {
    ...exampleManifest,
    owners: { ...exampleManifest.owners, technical: owner.email },
    components: { ...exampleManifest.components, datasets: [{ name: "rows", file: "rows.csv", sensitivity: "internal", licence: "our own", retentionDays: 30 }] },
    assurance: { checks: [declared] },
  };
  await writeFile(join(folder, "rows.csv"), rows);
  await writeFile(join(folder, "licet.yaml"), JSON.stringify(manifest));
  ({ release } = await developer.client("pushRelease", { params: { space }, body: bundleOf(readProject(folder)) }));
});
afterAll(async () => {
  await Promise.all([installation.close(), real.close(), own.close()]);
  await rm(folder, { recursive: true, force: true });
});

const registering = (issuer: string) => ({ params, body: { kind: "github" as const, issuer, audience, claims: rules } });

async function code(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "no refusal",
    (error: unknown) => (error instanceof ApiError ? error.code : String(error)),
  );
}

/** As after an approval: how one comes about is tested on its own. */
async function registered(issuer: string, more: { readonly claims?: CiClaim[]; readonly audience?: string } = {}): Promise<void> {
  const names = { repository: "repository", ref: "ref", workflow: "workflow_ref", commit: "sha", run: "run_id" };
  const detail = { kind: "github", issuer, audience: more.audience ?? audience, names, claims: more.claims ?? rules, allowPrivate: false };
  const returned = await carryOutRegistration({ recorder: installation.recorder, read: installation.database.read }, { space, system: "example", request: `req_${randomUUID()}`, detail, by: engineer.id, outcome: "for this test" });
  expect(returned).toBeUndefined();
}

const exchange = (token: string, authors: string[] = [], at: { readonly space: string; readonly system: string } = params) => installation.anonymous("exchangeCiToken", { params: at, body: { token, authors } });

async function runClient(token: string, authors: string[] = []): Promise<Client> {
  const { secret } = await exchange(token, authors);
  return createClient({ baseUrl: installation.baseUrl, token: secret });
}

async function returnWith(client: Client, ticket: RouteAnswer<"issueTicket">) {
  const { results } = await runSuite({ suite: { checks: [declared] }, root: folder, resolve: () => ({ path: "rows.csv", digest }), ...runOfTicket(ticket), release, now: () => Date.now() });
  return client("returnResults", { params, body: { ticket: ticket.id, results: results.map((result) => ({ ...result })) } });
}

const asked = () => ({ params, body: { release, checks: ["missing"], datasets: { rows: digest } } });

/** A check whose data nobody knows before it runs: asked for again, it is run again, as another attempt. */
const fresh = { check: "data.pii", id: "fresh", dataset: "rows" } as const;

async function freshRelease(): Promise<string> {
  const bundle = bundleOf(readProject(folder));
  const manifest = { ...bundle.manifest, assurance: AssuranceSection.parse({ checks: [fresh] }) };
  return (await developer.client("pushRelease", { params: { space }, body: { ...bundle, manifest, manifestText: JSON.stringify(manifest) } })).release;
}

const askedFresh = (of: string) => ({ params, body: { release: of, checks: ["fresh"], datasets: {} } });

async function returnFresh(client: Client, of: string, ticket: RouteAnswer<"issueTicket">) {
  const { results } = await runSuite({ suite: AssuranceSection.parse({ checks: [fresh] }), root: folder, resolve: () => ({ path: "rows.csv", digest }), ...runOfTicket(ticket), release: of, now: () => Date.now(), personalData: personalDataIn });
  return client("returnResults", { params, body: { ticket: ticket.id, results: results.map((result) => ({ ...result })) } });
}
const mint = (more: Record<string, unknown> = {}): JWTPayload => ({ ...claims, iss: own.url("good"), aud: audience, sub: "repo:octo/app", jti: randomUUID(), iat: seconds(), exp: seconds() + 300, ...more });

describe("a registration", () => {
  test("is a gate move: neither who asks, nor the technical owner, nor who pushed lets a CI in, and another person does", async () => {
    const { done, request } = await owner.client("registerCi", registering(real.url));
    expect(done).toBe(false);
    expect(request.title).toContain("octo/app");
    const approve = (who: typeof engineer) => who.client("giveApproval", { params: { space, request: request.id }, body: { role: "security-engineer", answer: "approve", comment: "read" } });
    await code(approve(owner));
    expect(await engineer.client("showRequest", { params: { space, request: request.id } })).toMatchObject({ status: "open" });
    const byDeveloper = await developer.client("registerCi", registering(own.url("good")));
    await code(owner.client("giveApproval", { params: { space, request: byDeveloper.request.id }, body: { role: "security-engineer", answer: "approve", comment: "my own system" } }));
    expect(await engineer.client("showRequest", { params: { space, request: byDeveloper.request.id } })).toMatchObject({ status: "open" });
    expect(await approve(engineer)).toMatchObject({ status: "granted" });
    const { items } = await developer.client("listCi", { params });
    expect(items).toMatchObject([{ issuer: real.url, registeredBy: owner.email, outcome: expect.stringContaining("approved by another person as security-engineer"), runs: 0, removedAt: null }]);
  });

  test("of an open rule, another address or a second time is refused", async () => {
    const refusal = (body: object) => code(developer.client("registerCi", { params, body: { ...registering(real.url).body, ...body } }));
    const ruled = (claim: string, value: string) => ({ claims: rules.map((rule) => (rule.claim === claim ? { claim, value } : rule)) });
    expect(await refusal(ruled("repository", "octo/*"))).toBe("ci_rule_refused");
    expect(await refusal(ruled("ref", "**"))).toBe("ci_rule_refused");
    expect(await refusal({ claims: [...rules.slice(0, 2), { claim: "environment", value: "prod" }] })).toBe("ci_rule_refused");
    expect(await refusal({ claims: [...rules, { claim: "aud", value: "x" }] })).toBe("ci_rule_refused");
    expect(await refusal({ claims: [...rules, rules[0]] })).toBe("ci_rule_refused");
    for (const issuer of ["http://example.org", "https://user@example.org", "https://example.org?x=1", "ftp://example.org", "http://10.0.0.1"]) expect([issuer, await refusal({ issuer })]).toEqual([issuer, "ci_issuer_refused"]);
    expect(await refusal({})).toBe("ci_registered_already");
    expect(await code(developer.client("registerCi", { ...registering(real.url), params: { space, system: "nothing" } }))).toBe("not_found");
  });
});

describe("a token of a real OpenID Connect provider", () => {
  test("becomes one counted run of producer ci: ticket, results, provenance, authors, and then its secret is spent", async () => {
    const token = await real.token(claims, audience);
    const answer = await exchange(token, ["Ada@Example.org"]);
    expect(answer).toMatchObject({ repository: "octo/app", ref: "refs/heads/main", commit });
    expect(answer.expiresAt - clock.now()).toBeLessThanOrEqual(3_600_000);
    const client = createClient({ baseUrl: installation.baseUrl, token: answer.secret });
    const ticket = await client("issueTicket", asked());
    expect(ticket).toMatchObject({ producer: "ci", status: "open" });
    expect(ticket.leaseUntil).toBe(answer.expiresAt);
    const { items } = await returnWith(client, ticket);
    const run = { run: answer.run, repository: "octo/app", ref: "refs/heads/main", workflow, commit, runId: "4711", runUrl: `${real.url}/octo/app/actions/runs/4711`, issuer: real.url };
    expect(items).toMatchObject([{ checkId: "missing", verdict: "pass", producer: "ci", producedBy: "octo/app", provenance: run }]);
    expect(await code(client("issueTicket", asked()))).toBe("ci_run_over");
    expect(await code(returnWith(client, ticket))).toBe("ci_run_over");
    expect(await developer.client("showCheckResult", { params: { ...params, check: "missing", result: items[0]?.id ?? "" } })).toMatchObject({ recorded: { producer: "ci", producedBy: "octo/app", provenance: run } });
    const { facts } = await developer.client("askGate", { params, query: { to: "pilot" } });
    expect(facts.checks).toMatchObject([{ id: "missing", producer: "ci", verdict: "pass", producedBy: answer.run }]);
    expect(facts.authors).toEqual(expect.arrayContaining(["ada@example.org", owner.email, developer.email]));
    expect(facts.authors).not.toContain(engineer.email);
    const entry = installation.entries.find(({ kind }) => kind === "ci.exchanged");
    expect(entry?.body).toMatchObject({ repository: "octo/app", commit, actor: { actor: "octocat" }, authors: ["ada@example.org"] });
    const text = JSON.stringify(installation.entries);
    expect(text).not.toContain(token);
    expect(text).not.toContain(token.split(".")[2]);
    expect(text).not.toContain(answer.secret);
    expect((await developer.client("listCi", { params })).items).toMatchObject([{ runs: 1 }]);
  });

  test("is taken once: again it is refused, and that is entered once", async () => {
    const token = await real.token(claims, audience);
    await exchange(token);
    for (const _ of [1, 2, 3]) expect(await code(exchange(token))).toBe("ci_token_replayed");
    expect(installation.entries.filter(({ kind }) => kind === "ci.refused")).toHaveLength(1);
  });

  test("that comes twice at once begins one run", async () => {
    const token = await real.token(claims, audience);
    const codes = await Promise.all(Array.from({ length: 8 }, () => code(exchange(token))));
    expect(codes.toSorted()).toEqual([...Array.from({ length: 7 }, () => "ci_token_replayed"), "no refusal"]);
  });

  test("signed with the issuer's next key is taken, and the keys of before open nothing", async () => {
    const old = await real.token(claims, audience);
    await real.rotate();
    const next = await real.token(claims, audience);
    shift += 31_000;
    expect(await code(exchange(next))).toBe("no refusal");
    expect(await code(exchange(old))).toBe("ci_token_refused");
  });

  test("with keys that nobody knows does not make the server ask its issuer each time", async () => {
    const { privateKey } = await generateKeyPair("RS256");
    const before = real.discoveries;
    const codes = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => code(exchange(await new SignJWT(mint({ iss: real.url })).setProtectedHeader({ alg: "RS256", kid: `made-up-${String(index)}` }).sign(privateKey)))),
    );
    expect(new Set(codes)).toEqual(new Set(["ci_token_refused"]));
    expect(real.discoveries - before).toBeLessThanOrEqual(1);
  });

  test.each([
    ["another repository", { repository: "octo/other" }],
    ["a repository that only begins like it", { repository: "octo/app-evil" }],
    ["another ref", { ref: "refs/pull/1/merge" }],
    ["another workflow", { workflow_ref: "octo/app/.github/workflows/other.yml@refs/heads/main" }],
    ["a claim that is no text", { repository: ["octo/app"] }],
    ["a missing claim", { ref: undefined }],
  ])("of %s is refused", async (_what, other) => {
    expect(await code(exchange(await real.token({ ...claims, ...other }, audience)))).toBe("ci_token_refused");
  });

  test("of another branch than the registered one is refused, also where the rest fits letter for letter", async () => {
    const own = { repository: "octo/branch", workflow_ref: "octo/branch/.github/workflows/licet.yml@refs/heads/main" };
    await registered(real.url, { claims: Object.entries({ ...own, ref: "refs/heads/main" }).map(([claim, value]) => ({ claim, value })) });
    const exchanged = async (branch: string) => code(exchange(await real.token({ ...claims, ...own, ref: `refs/heads/${branch}` }, audience)));
    for (const branch of ["other", "main2", "mai", "main/../main", "Main", "main"]) expect([branch, await exchanged(branch)]).toEqual([branch, branch === "main" ? "no refusal" : "ci_token_refused"]);
  });

  test("whose time is over is refused as that, whatever else it says: the answer tells nothing of what is registered", async () => {
    const tokens = [await real.token(claims, audience), await real.token({ ...claims, repository: "octo/other" }, audience)];
    shift += 361_000;
    const codes = await Promise.all(tokens.map((token) => code(exchange(token)))).finally(() => (shift -= 361_000));
    expect(codes).toEqual(["ci_token_expired", "ci_token_expired"]);
  });

  test("for another audience is told so only to whom everything else fits", async () => {
    expect(await code(exchange(await real.token(claims, "https://other.example.org")))).toBe("ci_audience_refused");
    expect(await code(exchange(await real.token({ ...claims, repository: "octo/other" }, "https://other.example.org")))).toBe("ci_token_refused");
  });
});

describe("a forged token", () => {
  beforeAll(() => registered(own.url("good")));

  test("that is not forged is taken, so that the others are refused for what they forge", async () => {
    expect(await code(exchange(await own.sign(mint())))).toBe("no refusal");
  });

  test("with another key under the issuer's key id is refused", async () => {
    const { privateKey } = await generateKeyPair("ES256");
    expect(await code(exchange(await own.sign(mint(), { key: privateKey })))).toBe("ci_token_refused");
    expect(await code(exchange(await own.sign(mint(), { key: privateKey, kid: "unknown" })))).toBe("ci_token_refused");
  });

  test("without a signature, or signed with the public key as if it were a secret, is refused", async () => {
    expect(await code(exchange(new UnsecuredJWT(mint()).encode()))).toBe("ci_token_malformed");
    const publicKey = await importJWK(own.publicJwk, "ES256", { extractable: true });
    if (publicKey instanceof Uint8Array) throw new Error("no public key");
    for (const secret of [await exportSPKI(publicKey), JSON.stringify(own.publicJwk), own.publicJwk.x ?? ""]) {
      const token = await new SignJWT(mint()).setProtectedHeader({ alg: "HS256", kid: "own" }).sign(new TextEncoder().encode(secret.padEnd(32)));
      expect(await code(exchange(token))).toBe("ci_token_malformed");
    }
  });

  test("whose payload was changed after it was signed is refused", async () => {
    const [head = "", , signature = ""] = (await own.sign(mint({ repository: "octo/other" }))).split(".");
    expect(await code(exchange(`${head}.${Buffer.from(JSON.stringify(mint())).toString("base64url")}.${signature}`))).toBe("ci_token_refused");
  });

  test("that brings its own key is refused", async () => {
    const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
    const { exportJWK } = await import("jose");
    const token = await new SignJWT(mint()).setProtectedHeader({ alg: "ES256", jwk: await exportJWK(publicKey), jku: own.url("other") }).sign(privateKey);
    expect(await code(exchange(token))).toBe("ci_token_refused");
  });

  test("of another time is refused, with a minute for the clocks", async () => {
    const at = (more: Record<string, unknown>) => own.sign(mint(more)).then((token) => code(exchange(token)));
    expect(await at({ exp: seconds() - 61 })).toBe("ci_token_expired");
    expect(await at({ exp: seconds() - 30 })).toBe("no refusal");
    expect(await at({ nbf: seconds() + 90 })).toBe("ci_token_expired");
    expect(await at({ nbf: seconds() + 30 })).toBe("no refusal");
    expect(await at({ iat: seconds() + 90 })).toBe("ci_token_expired");
    expect(await at({ exp: undefined })).toBe("ci_token_malformed");
    expect(await at({ iat: undefined })).toBe("ci_token_malformed");
  });

  test("of another issuer, or for several audiences, is refused", async () => {
    expect(await code(exchange(await own.sign(mint({ iss: own.url("other") }))))).toBe("ci_token_refused");
    expect(await code(exchange(await own.sign(mint({ iss: `${own.url("good")}/` }))))).toBe("ci_token_refused");
    expect(await code(exchange(await own.sign(mint({ aud: [audience, "https://other.example.org"] }))))).toBe("ci_audience_refused");
    expect(await code(exchange(await own.sign(mint({ aud: [audience] }))))).toBe("no refusal");
  });

  test("that was used, and is signed again under the same id or written in another way, begins no other run", async () => {
    const said = mint();
    const first = await own.sign(said);
    expect(await code(exchange(first))).toBe("no refusal");
    expect(await code(exchange(await own.sign(said)))).toBe("ci_token_replayed");
    const { jti: _, ...nameless } = mint();
    const [head, body, signature = ""] = (await own.sign(nameless)).split(".");
    expect(await code(exchange(`${head ?? ""}.${body ?? ""}.${signature}`))).toBe("no refusal");
    expect(await code(exchange(`${head ?? ""}.${body ?? ""}.${signature}`))).toBe("ci_token_replayed");
  });

  test.each([["one word", "x"], ["no JSON", "a.b.c"], ["empty parts", ".."], ["no claims", "eyJhbGciOiJFUzI1NiJ9.."], ["a long header", `${"A".repeat(16_000)}.b.c`]])("that is no token (%s) is refused", async (_what, text) => {
    expect(await code(exchange(text))).toBe("ci_token_malformed");
  });
});

describe("a refusal", () => {
  test("is the same for what is unknown and what is not, so that nobody learns what is registered", async () => {
    const { privateKey } = await generateKeyPair("ES256");
    const forged = await own.sign(mint(), { key: privateKey });
    const places = [params, { space, system: "nothing" }, { space: "nowhere", system: "example" }];
    const tokens = [forged, await own.sign(mint({ repository: "octo/other" })), await own.sign(mint({ iss: "https://unknown.example.org" }))];
    const answers = await Promise.all(places.flatMap((at) => tokens.map((token) => exchange(token, [], at).catch((error: unknown) => (error instanceof ApiError ? JSON.stringify([error.status, error.code, error.message, error.detail, error.fix, error.errors]) : String(error))))));
    expect(new Set(answers).size).toBe(1);
  });
});

describe("an issuer", () => {
  const down = ["crowded", "huge", "moved", "moved-discovery", "pretender", "elsewhere", "metadata", "symmetric", "broken", "failing"] as const;
  test.each(down)("whose answer is %s gives no key, within bounds", async (name) => {
    await registered(own.url(name));
    const answer = await exchange(await own.sign(mint({ iss: own.url(name) }))).catch((error: unknown) => error);
    expect(answer).toMatchObject({ code: "ci_issuer_unavailable", status: 503 });
    expect(own.sent).toBeLessThan(10_000_000);
  });

  test("that nobody answers for gives a coded refusal, and is asked again after a while", async () => {
    const issuer = await ownIssuers();
    const url = issuer.url("good");
    await issuer.close();
    await registered(url);
    expect(await code(exchange(await issuer.sign(mint({ iss: url }))))).toBe("ci_issuer_unavailable");
  });
});

describe("a one-run credential", () => {
  const token = () => own.sign(mint());

  test("issues one ticket for its own system and opens no other route", async () => {
    const client = await runClient(await token());
    expect(await code(client("showSystem", { params }))).toBe("not_signed_in");
    expect(await code(client("putFile", { params: { space, digest }, body: Buffer.from(rows) }))).toBe("not_signed_in");
    expect(await code(client("pushRelease", { params: { space }, body: bundleOf(readProject(folder)) }))).toBe("not_signed_in");
    expect(await code(client("issueTicket", { ...asked(), params: { space, system: "other" } }))).toBe("ci_run_over");
    expect(await code(client("issueTicket", { ...asked(), params: { space: "other", system: "example" } }))).toBe("ci_run_over");
    const tickets = await Promise.all([1, 2, 3].map(() => client("issueTicket", asked()).catch((error: unknown) => (error instanceof ApiError ? error.code : String(error)))));
    expect(tickets.filter((ticket) => ticket === "ci_run_over")).toHaveLength(2);
  });

  test("returns its own ticket only, and nobody else returns it", async () => {
    const [one, two] = await Promise.all([runClient(await token()), runClient(await token())]);
    const of = await freshRelease();
    const ticket = await one("issueTicket", askedFresh(of));
    expect(await code(returnFresh(two, of, ticket))).toBe("ticket_unknown");
    expect(await code(returnFresh(developer.client, of, ticket))).toBe("ticket_unknown");
    expect(await code(returnFresh(createClient({ baseUrl: installation.baseUrl, token: "lcr_made-up" }), of, ticket))).toBe("ci_run_over");
    expect((await returnFresh(one, of, ticket)).items).toMatchObject([{ producer: "ci" }]);
  });

  test("ends when its registration is removed, and new tokens are refused from then on", async () => {
    const client = await runClient(await token());
    const ticket = await client("issueTicket", asked());
    const { items } = await developer.client("listCi", { params });
    const registration = items.find((item) => item.issuer === own.url("good"))?.id ?? "";
    const removed = await developer.client("removeCi", { params: { ...params, registration }, body: { reason: "the workflow is gone" } });
    expect(removed).toMatchObject({ removedBy: developer.email, removedBecause: "the workflow is gone" });
    expect(await code(returnWith(client, ticket))).toBe("ci_run_over");
    expect(await code(exchange(await token()))).toBe("ci_token_refused");
  });
});

describe("licet check --ci", () => {
  let job: CiJob;
  beforeAll(async () => {
    job = await ciJob();
  });
  afterAll(() => job.close());

  const check = (more: object = {}) => job.told((terminal) => runCheck({ dir: folder, url: installation.baseUrl, space, ci: true, audience, report: [join(folder, "licet.sarif")], ...more }, terminal));

  test("gets its token from GitHub's service, runs, and its results count as ci, with the push's authors named", async () => {
    job.answers(200, JSON.stringify({ value: await real.token(claims, audience) }));
    await writeFile(join(folder, "event.json"), JSON.stringify({ commits: [{ author: { email: "grace@example.org" } }] }));
    job.set({ GITHUB_ACTIONS: "true", ACTIONS_ID_TOKEN_REQUEST_URL: job.serviceUrl, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "job-secret", GITHUB_EVENT_PATH: join(folder, "event.json") });
    const { code, text } = await check();
    expect(text).toContain("producer `ci`: octo/app refs/heads/main 0123456789ab");
    expect(code).toBe(0);
    expect(job.heard).toEqual({ url: `/token?api-version=2.0&audience=${encodeURIComponent(audience)}`, authorization: "Bearer job-secret" });
    const last = installation.entries.findLast(({ kind }) => kind === "ci.exchanged");
    expect(last?.body).toMatchObject({ authors: ["grace@example.org"] });
  });

  test("says what the job lacks: the permission for a token, a service that answers, GitLab's id_tokens", async () => {
    job.set({ ACTIONS_ID_TOKEN_REQUEST_URL: undefined });
    expect((await check()).text).toMatch(/error\[ci_token_missing\].*`id-token: write`/u);
    job.set({ ACTIONS_ID_TOKEN_REQUEST_URL: job.serviceUrl });
    job.answers(403, "no");
    expect((await check()).text).toMatch(/error\[ci_token_request_failed\].*403/u);
    job.answers(200, "{}");
    expect((await check()).text).toContain("error[ci_token_request_failed]");
    job.set({ ACTIONS_ID_TOKEN_REQUEST_URL: undefined, GITHUB_ACTIONS: undefined, GITLAB_CI: "true" });
    expect((await check()).text).toMatch(/error\[ci_token_missing\].*`id_tokens:`/u);
    job.set({ GITLAB_CI: undefined });
    expect((await check()).text).toContain("error[ci_token_missing]");
  });

  test("refused, prints the claims that it saw and a register command that fits them exactly", async () => {
    const other = { ...claims, repository: "octo/other", workflow_ref: "octo/other/.github/workflows/x.yml@refs/heads/main" };
    job.set({ LICET_OIDC_TOKEN: await real.token(other, audience) });
    const { code, text } = await check();
    expect(code).toBe(1);
    expect(text).toContain("error[ci_token_refused]");
    expect(text).toContain("repository: octo/other");
    const command = /licet ci register (.*)/u.exec(text)?.[1] ?? "";
    const claim = [...command.matchAll(/--claim (\S+)/gu)].map((match) => match[1] ?? "");
    expect(claim).toEqual(["repository=octo/other", "ref=refs/heads/main", `workflow_ref=${other.workflow_ref}`]);
    job.set({ LICET_TOKEN: developer.token });
    const asked = await job.told((terminal) => runCiRegister({ dir: folder, system: "example", kind: "github", issuer: real.url, audience, claim, url: installation.baseUrl, space }, terminal));
    const request = /request (req_\w+)/u.exec(asked.text)?.[1] ?? "";
    const second = await installation.person(space, ["security-engineer"]);
    await second.client("giveApproval", { params: { space, request }, body: { role: "security-engineer", answer: "approve", comment: "read" } });
    job.set({ LICET_TOKEN: undefined });
    expect((await check()).text).toContain("producer `ci`: octo/other");
    job.set({ LICET_TOKEN: second.token });
    const list = await job.told((terminal) => runCiList({ dir: folder, system: "example", url: installation.baseUrl, space }, terminal));
    expect(list.text).toMatch(/octo\/other.*in force, 1 runs/u);
    job.set({ LICET_TOKEN: undefined });
  });

  test("with a token for another audience says so", async () => {
    job.set({ LICET_OIDC_TOKEN: await real.token(claims, "https://elsewhere.example.org") });
    const { text } = await check();
    expect(text).toContain("error[ci_audience_refused]");
    expect(text).toContain("aud: https://elsewhere.example.org");
  });
});

describe("a run that does not come back", () => {
  test("ends after an hour, and an unreturned ticket with it: an aborted attempt stands above the older pass", async () => {
    const of = await freshRelease();
    const before = await runClient(await real.token(claims, audience));
    expect((await returnFresh(before, of, await before("issueTicket", askedFresh(of)))).items).toMatchObject([{ verdict: "pass" }]);
    const client = await runClient(await real.token(claims, audience));
    const ticket = await client("issueTicket", askedFresh(of));
    shift += 3_600_001;
    expect(await code(returnFresh(client, of, ticket))).toBe("ci_run_over");
    const auditor = await installation.person(space, ["auditor"]);
    const { facts } = await auditor.client("askGate", { params, query: { to: "pilot" } });
    expect(facts.checks).toMatchObject([{ id: "fresh", verdict: "aborted", producer: "ci" }]);
  });
});
