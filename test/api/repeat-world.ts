import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decide } from "@licet/assurance";
import { createClient, type Client } from "@licet/client";
import type { AssuranceCheck, CheckResult, RouteAnswer } from "@licet/contract";
import { carryOutRegistration } from "../../packages/licet/src/assurance/ci/registration.ts";
import { exampleManifest } from "../../packages/licet/src/inventory/example-manifest.ts";
import { attempting, digestOfText, params, table, type Attempting, type Ticket } from "./attempts-world.ts";
import { ownIssuers } from "./ci-issuers.ts";
import type { InstallOptions } from "./installation.ts";

const audience = "https://licet.example.org";
const claims = { repository: "octo/app", ref: "refs/heads/main", workflow_ref: "octo/app/.github/workflows/licet.yml@refs/heads/main" };
const columns = ["a", "b"] as const;

export const repeatChecks: readonly AssuranceCheck[] = columns.map((column) => ({ check: "drift.missing", id: column, dataset: "today", reference: "before", max: 0.5, columns: [column] }));

export interface CiRun {
  readonly secret: string;
  readonly ticket: Ticket;
  readonly release: string;
  readonly mark: string;
}

export interface RepeatWorld {
  readonly world: Attempting;
  /** A release, and a ticket of a registered CI for it. */
  begun(mark: string, checks?: readonly AssuranceCheck[]): Promise<CiRun>;
  /** Of the ticket's checks those with these ids, or all. */
  back(run: CiRun, ids?: readonly string[]): Promise<RouteAnswer<"returnResults">>;
  /** With the run's own secret, at the server as it runs now. */
  ci(run: CiRun): Client;
  /** The files of the drawn check, sent by the run. */
  sent(run: CiRun, repeat: RouteAnswer<"repeatDrawn">["repeat"]): Promise<void>;
  results(run: CiRun): Promise<readonly CheckResult[]>;
  /** What the job's CI would give it. */
  token(): Promise<string>;
  /** A folder as a developer has it, with the files of `begun` of this mark. */
  project(mark: string): Promise<string>;
  close(): Promise<void>;
}

/** Better figures than there were, with the verdict that follows from them. */
export function forged(results: readonly CheckResult[]): CheckResult[] {
  return results.map((result) => {
    const basis = JSON.parse(JSON.stringify(result.basis).replaceAll(/"events":\d+,"n":60/gu, '"events":1,"n":60')) as CheckResult["basis"];
    return { ...result, basis, ...decide(basis, result.limit, result.counts) };
  });
}

const high = { risk: { ...exampleManifest.risk, effectOnPeople: "health-liberty-livelihood-or-rights" as const }, oversight: { mode: "review-before-effect" as const, overseer: "head of pathology" } };

/** A system of high tier with a registered CI, whose issuer is our own. */
export async function repeatWorld(options: Pick<InstallOptions, "runner"> = {}, tier: Parameters<typeof attempting>[0] = high): Promise<RepeatWorld> {
  const [world, own] = await Promise.all([attempting(tier, options), ownIssuers()]);
  await world.push({ today: table(0, "first") });
  const names = { repository: "repository", ref: "ref", workflow: "workflow_ref", commit: "sha", run: "run_id" };
  const detail = { kind: "github", issuer: own.url("good"), audience, names, claims: Object.entries(claims).map(([claim, value]) => ({ claim, value })), allowPrivate: false };
  const { recorder, database } = world.installation;
  await carryOutRegistration({ recorder, read: database.read }, { space: "main", system: "example", request: `req_${randomUUID()}`, detail, by: "per_somebody", outcome: "for this test" });
  const ci = ({ secret }: Pick<CiRun, "secret">): Client => createClient({ baseUrl: world.installation.baseUrl, token: secret });
  const textsOf = ({ mark }: CiRun): readonly string[] => [table(2, mark), table(0, mark)];
  function signed(): Promise<string> {
    const seconds = Math.floor(world.clock.now() / 1000);
    return own.sign({ ...claims, iss: own.url("good"), aud: audience, sub: "repo:octo/app", jti: randomUUID(), iat: seconds, exp: seconds + 300 });
  }
  const folders: string[] = [];
  return {
    world,
    ci,
    token: signed,
    async project(mark) {
      const folder = await mkdtemp(join(tmpdir(), "licet-repeat-"));
      folders.push(folder);
      const data = ["today", "before"].map((name) => ({ name, file: `${name}.csv`, sensitivity: "internal", licence: "our own", retentionDays: 30 }));
      const manifest = { ...exampleManifest, ...tier, components: { ...exampleManifest.components, datasets: data }, assurance: { checks: repeatChecks } };
      await Promise.all([writeFile(join(folder, "licet.yaml"), JSON.stringify(manifest)), writeFile(join(folder, "today.csv"), table(2, mark)), writeFile(join(folder, "before.csv"), table(0, mark))]);
      return folder;
    },
    async begun(mark, checks = repeatChecks) {
      const release = await world.push({ today: table(2, mark), before: table(0, mark) }, { checks });
      const token = await signed();
      const { secret } = await world.installation.anonymous("exchangeCiToken", { params, body: { token, authors: [] } });
      const ticket = await ci({ secret })("issueTicket", { params, body: { release, checks: checks.map(({ id }) => id), datasets: {} } });
      return { secret, ticket, release, mark };
    },
    async back(run, ids = run.ticket.checks) {
      const results = (await world.results(run.release, run.ticket)).filter(({ id }) => ids.includes(id));
      return ci(run)("returnResults", { params, body: { ticket: run.ticket.id, results: results.map((result) => ({ ...result })) } });
    },
    results: (run) => world.results(run.release, run.ticket),
    async sent(run, repeat) {
      for (const { digest } of repeat?.lacking ?? []) {
        await ci(run)("putDrawnFile", { params: { ...params, ticket: run.ticket.id, digest }, body: Buffer.from(textsOf(run).find((text) => digestOfText(text) === digest) ?? "") });
      }
    },
    async close() {
      await Promise.all([world.close(), own.close(), ...folders.map((folder) => rm(folder, { recursive: true, force: true }))]);
    },
  };
}
