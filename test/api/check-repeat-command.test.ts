import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runnerDefaults } from "@licet/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { runCheck } from "../../packages/licet/src/cli/check.ts";
import { runCheckRepeat } from "../../packages/licet/src/cli/check-repeat.ts";
import { exitCodes } from "../../packages/licet/src/cli/failure.ts";
import { bundleOf, readProject } from "../../packages/licet/src/inventory/project.ts";
import { params, table } from "./attempts-world.ts";
import { ciJob, type CiJob } from "./ci-job.ts";
import { forged, repeatWorld, type RepeatWorld } from "./repeat-world.ts";

const audience = "https://licet.example.org";

let at: RepeatWorld;
let job: CiJob;
let token: string;
beforeAll(async () => {
  at = await repeatWorld();
  job = await ciJob();
  ({ token } = await at.world.installation.person("main", ["developer"]));
});
beforeEach(() => job.set({ LICET_TOKEN: undefined, LICET_OIDC_TOKEN: undefined }));
afterAll(async () => {
  await Promise.all([at.close(), job.close()]);
});

const server = () => ({ url: at.world.installation.baseUrl, space: "main" });
const verdicts = async (release: string) => (await at.world.client("askGate", { params, query: { to: "pilot", release } })).facts.checks.map(({ verdict }) => verdict);

async function pushed(folder: string): Promise<string> {
  return (await at.world.client("pushRelease", { params: { space: "main" }, body: bundleOf(readProject(folder)) })).release;
}

async function checkedInCi(folder: string) {
  job.set({ LICET_OIDC_TOKEN: await at.token() });
  return job.told((terminal) => runCheck({ dir: folder, ...server(), ci: true, audience }, terminal));
}

async function repeated(ticket: string, folder: string, as = token) {
  job.set({ LICET_TOKEN: as });
  return job.told((terminal) => runCheckRepeat(ticket, { dir: folder, ...server() }, terminal));
}

describe("licet check --ci at a high tier", () => {
  test("sends the files that the server lacks for the drawn check, waits for what comes out, and its results count", async () => {
    const folder = await at.project("whole");
    const release = await pushed(folder);
    const { code, text } = await checkedInCi(folder);
    expect(text).toMatch(/drawn by lot, [ab] is to be made again by the server, which lacks today, before\. At this tier nothing of this run counts before/u);
    expect(text).toMatch(/ {2}sent today\n {2}sent before\ndrawn by lot, [ab] was made again by the server: it agrees/u);
    expect(code).toBe(exitCodes.fine);
    expect(await verdicts(release)).toEqual(["pass", "pass"]);
    // The server holds the files now: another run of the same is settled, and sends nothing.
    expect((await checkedInCi(folder)).text).not.toContain("sent today");
  }, 120_000);

  test("is a finding while the server could not make it again, although every check passes", async () => {
    const small = await repeatWorld({ runner: { ...runnerDefaults, rows: 10 } });
    try {
      const folder = await small.project("small");
      const { release } = await small.world.client("pushRelease", { params: { space: "main" }, body: bundleOf(readProject(folder)) });
      job.set({ LICET_OIDC_TOKEN: await small.token() });
      const { code, text } = await job.told((terminal) => runCheck({ dir: folder, url: small.world.installation.baseUrl, space: "main", ci: true, audience }, terminal));
      expect(text).toMatch(/is to be made again by the server; its last try failed \(runner_failed\): see the server's log\./u);
      expect(code).toBe(exitCodes.findings);
      const { facts } = await small.world.client("askGate", { params, query: { to: "pilot", release } });
      expect(facts.checks.map(({ verdict }) => verdict)).toEqual(["awaiting_repeat", "awaiting_repeat"]);
    } finally {
      await small.close();
    }
  }, 120_000);
});

describe("licet check repeat", () => {
  test("sends what is lacking from where it is, says that it agrees, and then the results count", async () => {
    const run = await at.begun("later");
    await at.back(run);
    expect(await verdicts(run.release)).toEqual(["awaiting_repeat", "awaiting_repeat"]);
    const { code, text } = await repeated(run.ticket.id, await at.project("later"));
    expect(text).toMatch(/^ {2}sent today\n {2}sent before\ndrawn by lot, [ab] was made again by the server: it agrees$/u);
    expect(code).toBe(exitCodes.fine);
    expect(await verdicts(run.release)).toEqual(["pass", "pass"]);
    // Asked again it is not made again.
    expect(await repeated(run.ticket.id, await at.project("later"))).toEqual({ code: exitCodes.fine, text: expect.stringMatching(/^drawn by lot, [ab] was made again by the server: it agrees$/u) });
    expect(at.world.installation.entries.filter(({ kind, body }) => kind === "check.repeated" && body["ticket"] === run.ticket.id)).toHaveLength(1);
  }, 120_000);

  test("sends no file that is not the declared one, says where to run it, and ends with a finding", async () => {
    const run = await at.begun("changed");
    await at.back(run);
    const folder = await at.project("changed");
    await writeFile(join(folder, "before.csv"), table(1, "changed"));
    const { code, text } = await repeated(run.ticket.id, folder);
    expect(text).toContain("sent today");
    expect(text).toContain(`before is not here as the release declares it: run \`licet check repeat ${run.ticket.id}\` where it is`);
    expect(text).toMatch(/is to be made again by the server.*disputed/u);
    expect(code).toBe(exitCodes.findings);
    expect(await verdicts(run.release)).toEqual(["awaiting_repeat", "awaiting_repeat"]);
  }, 120_000);

  test("of figures that the server does not come to ends with a finding that names them", async () => {
    const run = await at.begun("forged");
    await at.ci(run)("returnResults", { params, body: { ticket: run.ticket.id, results: forged(await at.results(run)) } });
    const { code, text } = await repeated(run.ticket.id, await at.project("forged"));
    expect(text).toMatch(/made again by the server, and does NOT agree: .*current\.events: 1 was reported/u);
    expect(code).toBe(exitCodes.findings);
    // It was drawn to speak for the others.
    expect(await verdicts(run.release)).toEqual(["disputed", "disputed"]);
  }, 120_000);

  test("says where nothing is to be made again, and refuses what is no ticket, no project, and whoever is nobody", async () => {
    const folder = await at.project("none");
    const release = await pushed(folder);
    const own = await at.world.client("issueTicket", { params, body: { release, checks: ["a", "b"], datasets: {} } });
    expect(await repeated(own.id, folder)).toMatchObject({ code: exitCodes.fine, text: expect.stringContaining("nothing of this ticket is to be made again") });
    expect((await repeated("tkt_0123456789", folder)).text).toContain("error[ticket_unknown]");
    expect((await repeated(own.id, join(folder, "nowhere"))).code).not.toBe(exitCodes.fine);
    expect((await repeated(own.id, folder, "made up")).text).toContain("error[not_signed_in]");
  }, 120_000);
});
