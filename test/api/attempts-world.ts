import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attemptAlpha, runOfTicket, runSuite } from "@licet/assurance";
import { ApiError, createClient, type Client } from "@licet/client";
import type { AssuranceCheck, AssuranceSection, CheckResult, ReleaseBundle, RouteAnswer } from "@licet/contract";
import { manualClock } from "../../packages/licet/src/base/clock.ts";
import { exampleBundle, exampleManifest } from "../../packages/licet/src/inventory/example-manifest.ts";
import { install, type InstallOptions, type Installation } from "./installation.ts";

export const params = { space: "main", system: "example" };
export const leaseMs = 2 * 3_600_000;
export const alphaOf = attemptAlpha;

export type Ticket = RouteAnswer<"issueTicket">;

export interface Attempting {
  readonly installation: Installation;
  readonly client: Client;
  readonly clock: ReturnType<typeof manualClock>;
  /** A release whose drift check compares these rows of today with these of before. */
  push(data: { readonly today: string; readonly before?: string }, more?: { readonly id?: string; readonly purpose?: string; readonly checks?: readonly AssuranceCheck[]; readonly alpha?: number }): Promise<string>;
  ticket(release: string, checks?: readonly string[]): Promise<Ticket>;
  /** What an honest engine finds. */
  results(release: string, ticket: Ticket): Promise<readonly CheckResult[]>;
  back(ticket: Ticket, results: readonly CheckResult[], as?: Client): Promise<string>;
  /** Ticket, run and return; answers the ticket. */
  whole(release: string): Promise<Ticket>;
  /** All files of a release, and then the server's own run. */
  onServer(release: string): Promise<RouteAnswer<"runOnServer">>;
  /** Stops the server and starts it again on the same data. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export function drift(id: string = "drift"): AssuranceCheck {
  return { check: "drift.missing", id, dataset: "today", reference: "before", max: 0.5 };
}

/** Rows of a table with some cells missing; `mark` makes another file of it. */
export function table(missing: number, mark: string): string {
  return `a,b\n${Array.from({ length: 60 }, (_, row) => `${row < missing ? "" : "1"},${mark}`).join("\n")}\n`;
}

export const digestOfText = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;

export async function attempting(tier: Partial<ReleaseBundle["manifest"]> = {}, options: Pick<InstallOptions, "runner"> = {}): Promise<Attempting> {
  const clock = manualClock(Date.now());
  const folder = await mkdtemp(join(tmpdir(), "licet-attempts-"));
  let installation = await install({ ...options, clock });
  const { token, client: first } = await installation.person("main", ["developer", "platform-engineer"]);
  let client = first;
  const pushed = new Map<string, { readonly suite: AssuranceSection; readonly texts: readonly string[] }>();
  const world: Attempting = {
    get installation() {
      return installation;
    },
    get client() {
      return client;
    },
    clock,
    async push({ today, before = table(0, "before") }, more = {}) {
      const checks = [...(more.checks ?? [drift(more.id)])];
      const suite: AssuranceSection = { checks, ...(more.alpha !== undefined && { alpha: more.alpha }) };
      const data = (name: string) => ({ name, file: `${name}.csv`, sensitivity: "internal" as const, licence: "our own", retentionDays: 30 });
      const manifest = { ...exampleManifest, ...tier, ...(more.purpose !== undefined && { purpose: more.purpose }), components: { ...exampleManifest.components, datasets: [data("today"), data("before")] }, assurance: suite };
      const files = [["today.csv", today], ["before.csv", before]] as const;
      const { release } = await client("pushRelease", { params: { space: "main" }, body: { ...exampleBundle(manifest), files: files.map(([path, text]) => ({ path, digest: digestOfText(text), bytes: text.length })) } });
      pushed.set(release, { suite, texts: [today, before] });
      for (const text of [today, before]) await writeFile(join(folder, digestOfText(text).slice(7)), text);
      clock.advance(1000);
      return release;
    },
    async ticket(release, checks) {
      const ids = checks ?? pushed.get(release)?.suite.checks.map(({ id }) => id) ?? [];
      clock.advance(1000);
      return client("issueTicket", { params, body: { release, checks: [...ids], datasets: {} } });
    },
    async results(release, ticket) {
      const { suite, texts } = pushed.get(release) ?? { suite: { checks: [] }, texts: [] };
      const [today = "", before = ""] = texts.map((text) => digestOfText(text));
      const resolve = (name: string) => (name === "today" ? { path: today.slice(7), digest: today } : { path: before.slice(7), digest: before });
      const own = { ...suite, checks: suite.checks.filter(({ id }) => ticket.checks.includes(id)) };
      return (await runSuite({ suite: own, root: folder, resolve, ...runOfTicket(ticket), release, now: () => clock.now() })).results;
    },
    async back(ticket, results, as = client) {
      clock.advance(1000);
      return as("returnResults", { params, body: { ticket: ticket.id, results: results.map((result) => ({ ...result })) } }).then(
        ({ items }) => items.map(({ verdict }) => verdict).join(),
        (error: unknown) => (error instanceof ApiError ? error.code : String(error)),
      );
    },
    async whole(release) {
      const ticket = await world.ticket(release);
      if (ticket.checks.length > 0) await world.back(ticket, await world.results(release, ticket));
      return ticket;
    },
    async onServer(release) {
      for (const text of pushed.get(release)?.texts ?? []) await client("putFile", { params: { space: "main", digest: digestOfText(text) }, body: Buffer.from(text) });
      clock.advance(1000);
      return client("runOnServer", { params, body: { release } });
    },
    async restart() {
      installation = await install({ ...options, clock, folder: await installation.leave() });
      client = createClient({ baseUrl: installation.baseUrl, token });
    },
    async close() {
      await installation.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return world;
}
