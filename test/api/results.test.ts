import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runOfTicket, runSuite } from "@licet/assurance";
import { ApiError, type Client } from "@licet/client";
import type { AssuranceCheck, CheckResult } from "@licet/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exampleBundle, exampleManifest } from "../../packages/licet/src/inventory/example-manifest.ts";
import { install, type Installation } from "./installation.ts";

const holey = "a,b\n1,\n2,3\n";
const whole = "a,b\n1,1\n2,3\n";
const params = { space: "main", system: "example" };
const declared = { check: "data.missing", id: "missing", dataset: "rows", max: 0 } as const satisfies AssuranceCheck;

const digestOfText = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const bundle = {
  ...exampleBundle({
    ...exampleManifest,
    components: { ...exampleManifest.components, datasets: [{ name: "rows", file: "rows.csv", sensitivity: "internal", licence: "our own", retentionDays: 30 }] },
    assurance: { checks: [declared] },
  }),
  files: [{ path: "rows.csv", digest: digestOfText(holey), bytes: holey.length }],
};

let installation: Installation;
let folder: string;
let client: Client;
let release: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "licet-results-"));
  await writeFile(join(folder, "rows.csv"), holey);
  await writeFile(join(folder, "other.csv"), whole);
  installation = await install();
  ({ client } = await installation.person("main", ["developer"]));
  ({ release } = await client("pushRelease", { params: { space: "main" }, body: bundle }));
});
afterAll(async () => {
  await installation.close();
  await rm(folder, { recursive: true, force: true });
});

/** What an honest engine says of a suite; the suite may be another than the declared one. */
async function claimed(check: AssuranceCheck, file: "rows.csv" | "other.csv"): Promise<string> {
  const ticket = await client("issueTicket", { params, body: { release, checks: ["missing"], datasets: {} } });
  const digest = digestOfText(file === "rows.csv" ? holey : whole);
  const { results } = await runSuite({ suite: { checks: [check] }, root: folder, resolve: () => ({ path: file, digest }), ...runOfTicket(ticket), release, now: () => Date.now() });
  return returned(ticket.id, results);
}

async function returned(ticket: string, results: readonly CheckResult[]): Promise<string> {
  return client("returnResults", { params, body: { ticket, results: results.map((result) => ({ ...result })) } }).then(
    ({ items }) => items.map(({ verdict }) => verdict).join(),
    (error: unknown) => (error instanceof ApiError ? error.code : String(error)),
  );
}

describe("a file for the server's own runner", () => {
  const put = (text: string) =>
    client("putFile", { params: { space: "main", digest: digestOfText(text) }, body: Buffer.from(text) }).then(
      ({ held }) => held,
      (error: unknown) => (error instanceof ApiError ? error.code : String(error)),
    );

  test("is taken when a release declares it, and nothing else is: the server is nobody's store", async () => {
    expect(await put(holey)).toBe(true);
    expect(await put(whole)).toBe("file_undeclared");
  });

  test("is not taken because another space declares it", async () => {
    const stranger = (await installation.person("other", ["developer"])).client;
    await expect(stranger("putFile", { params: { space: "other", digest: digestOfText(holey) }, body: Buffer.from(holey) })).rejects.toMatchObject({ code: "file_undeclared" });
  });
});

describe("a returned result", () => {
  test("that was judged by another limit than the declared one is refused, though it follows from its counts", async () => {
    expect(await claimed({ ...declared, max: 1 }, "rows.csv")).toBe("result_inconsistent");
  });

  test("of another file than the declared one is refused", async () => {
    expect(await claimed(declared, "other.csv")).toBe("result_inconsistent");
  });

  test("of another check under the declared one's name is refused", async () => {
    expect(await claimed({ check: "data.schema", id: "missing", dataset: "rows", columns: { a: { type: "integer" } } }, "rows.csv")).toBe("result_inconsistent");
  });

  test("is taken with its own ticket only, and a ticket names no other files than the release", async () => {
    const [mine, theirs] = await Promise.all([1, 2].map(() => client("issueTicket", { params, body: { release, checks: ["missing"], datasets: {} } })));
    const { results } = await runSuite({ suite: { checks: [declared] }, root: folder, resolve: () => ({ path: "rows.csv", digest: digestOfText(holey) }), ...runOfTicket(mine ?? { seed: "", attempts: [] }), release, now: () => Date.now() });
    expect(await returned(theirs?.id ?? "", results)).toBe("result_inconsistent");
    const other = (await installation.person("main", ["developer"])).client;
    await expect(other("returnResults", { params, body: { ticket: mine?.id ?? "", results: results.map((result) => ({ ...result })) } })).rejects.toMatchObject({ code: "ticket_unknown" });
    await expect(client("issueTicket", { params, body: { release, checks: ["missing"], datasets: { rows: digestOfText(whole) } } })).rejects.toMatchObject({ code: "result_inconsistent" });
  });

  test("of the declared check on the declared file is taken as it is", async () => {
    expect(await claimed(declared, "rows.csv")).toBe("fail");
  });
});
