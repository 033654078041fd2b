import { CheckResult, type ReservedAttempt } from "@licet/contract";
import { afterEach, beforeEach, expect, test } from "vitest";
import { manualClock } from "../../base/clock.ts";
import { dump, install, newDirectory, removeDirectory, type Installation } from "../../ledger/recorder-fixture.ts";
import { registryOf } from "../../ledger/registry.ts";
import { rebuildDatabase } from "../../ledger/replay.ts";
import { assuranceEntries } from "../entries.ts";
import { checkResultStatement, testResultStatement } from "../statement.ts";
import { compareResults } from "./compare.ts";
import { drawnOf } from "./repeat.ts";
import { attemptsOn, disputedAmong, drawnRepeatOf, lastInLog, repeatsAmong, reservedBy, usesOf } from "./store.ts";

const clock = manualClock(Date.UTC(2026, 10, 22, 9));
const digest = (text: string): string => `sha256:${text.repeat(64)}`;
const [model, data, other, engine] = ["a", "b", "c", "e"].map(digest) as [string, string, string, string];
const line = { system: "example", subject: model, kind: "perf.metric", version: "1" };

const reserved: ReservedAttempt = { check: "auc", kind: "perf.metric", version: "1", subject: model, data, configuration: other, reads: [data], index: 1, alpha: 0.0303963550927, previous: [], seed: "00", drawnAs: "auc", repeats: null };

function result(events: number, attempt: CheckResult["attempt"]): CheckResult {
  return CheckResult.parse({
    schema: "licet.assurance.result/v1",
    id: "auc",
    check: "perf.metric",
    checkVersion: "1",
    engine: { name: "licet", version: "1", digest: engine },
    subject: { kind: "onnx", id: "m", digest: model },
    inputs: [],
    estimate: 0.9,
    unit: "share",
    interval: null,
    counts: { attempted: 10, assessed: 10, unassessed: 0 },
    basis: { kind: "columns", columns: [{ name: "x", events, n: 10 }] },
    limit: { op: ">=", value: 0.8, alpha: attempt.alphaSpent, source: "manifest" },
    verdict: "pass",
    notes: [],
    attempt,
    seed: "00",
    cost: { queries: 0, wallMs: 1 },
    evidence: [],
    origin: "native",
  });
}

let directory: string;
let at: Installation;
beforeEach(async () => {
  directory = await newDirectory();
  at = await install({ directory, clock, definitions: assuranceEntries });
});
afterEach(async () => {
  await at.close();
  await removeDirectory(directory);
});

type Body = Parameters<typeof at.recorder.append>[0]["body"];

async function commit(kind: string, body: object): Promise<string> {
  const entry = { kind, space: "main", actor: "per_ada", system: "example", subject: "system:example", class: "governance" as const, body: JSON.parse(JSON.stringify(body)) as Body };
  const done = await at.recorder.commit(async () => ({ entry, value: undefined }));
  clock.advance(1000);
  return done.entry?.id ?? "";
}

const ticket = (id: string, attempts: readonly ReservedAttempt[]) => commit("ticket.issued", { id, system: "example", release: digest("d"), producer: "self", checks: attempts.map(({ check }) => check), datasets: {}, seed: "00", attempt: 1, issuedTo: "per_ada", leaseUntil: clock.now() + 1, attempts, settled: [] });

function recorded(id: string, of: { readonly ticket: string; readonly result: CheckResult; readonly carriedFrom?: string; readonly comparison?: object }): Promise<string> {
  const said = { id, ticket: of.ticket, system: "example", release: digest("d"), producer: "self" as const, producedBy: "per_ada", producedAt: clock.now(), result: of.result, ...(of.carriedFrom !== undefined && { carriedFrom: of.carriedFrom }) };
  // Rows are read from the payload; the signature is the verifier's business.
  const envelope = (statement: object) => ({ payloadType: "application/vnd.in-toto+json", payload: Buffer.from(JSON.stringify(statement)).toString("base64"), signatures: [{ keyid: "k", sig: "c2ln" }] });
  return commit("check.recorded", { id, statement: envelope(checkResultStatement(said)), testResult: envelope(testResultStatement(said)), ...(of.comparison !== undefined && { comparison: of.comparison }) });
}

test("attempts, uses, comparisons and drawn repetitions come out of the log again as they were", async () => {
  await ticket("tkt_one", [reserved]);
  const first = await recorded("chk_one", { ticket: "tkt_one", result: result(1, { index: 1, alphaSpent: 0.0303963550927, previous: [] }) });
  await ticket("tkt_two", [{ ...reserved, repeats: "chk_one" }]);
  const second = await recorded("chk_two", { ticket: "tkt_two", result: result(2, { index: 1, alphaSpent: 0.0303963550927, previous: [], repeats: "chk_one" }), comparison: { agrees: false, differences: ["figures"] } });
  await ticket("tkt_three", []);
  await recorded("chk_three", { ticket: "tkt_three", result: result(1, { index: 1, alphaSpent: 0.0303963550927, previous: [] }), carriedFrom: "chk_one" });
  await commit("check.repeated", { id: "rep_one", ticket: "tkt_one", system: "example", release: digest("d"), check: "auc", reported: "chk_one", drawn: { from: first, among: ["chk_one"] }, comparison: { agrees: true, differences: [] } });
  const { read } = at.database;
  expect(await attemptsOn(read, "main", line)).toMatchObject([{ ticket: "tkt_one", result: "chk_one", stands: false, repeats: null }, { ticket: "tkt_two", result: "chk_two", stands: false, repeats: "chk_one" }]);
  expect(await attemptsOn(read, "other", line)).toEqual([]);
  expect(await attemptsOn(read, "main", { ...line, version: "2" })).toEqual([]);
  expect(await reservedBy(read, "main", "tkt_one")).toEqual([reserved]);
  expect([...(await disputedAmong(read, "main", ["chk_one"]))].toSorted()).toEqual(["chk_one", "chk_two"]);
  expect(await repeatsAmong(read, "main", ["chk_two"])).toMatchObject([{ drawn: false, agrees: false, differences: ["figures"] }]);
  expect(await drawnRepeatOf(read, "main", "tkt_one")).toMatchObject({ agrees: true, reported: "chk_one" });
  // Making a result again is no use of the data.
  expect(await usesOf(read, "main", { system: "example", datasets: new Map([["test", data], ["never", other]]) })).toEqual([{ id: "test", digest: data, uses: 1 }, { id: "never", digest: other, uses: 0 }]);
  expect(await lastInLog(read, "main", [second, first])).toBe(second);
  const { database, log, keyring } = at;
  const lived = await dump(database);
  await rebuildDatabase({ database, log, keyring, registry: registryOf(assuranceEntries), now: () => clock.now() });
  expect(await dump(database)).toEqual(lived);
});

test("a result without figures keeps nobody from trying again, and is an attempt", async () => {
  await ticket("tkt_one", [reserved]);
  const none = { ...result(0, { index: 1, alphaSpent: 0.0303963550927, previous: [] }), basis: { kind: "none" as const, reason: "aborted" }, verdict: "insufficient_evidence" as const };
  await recorded("chk_one", { ticket: "tkt_one", result: none });
  expect(await attemptsOn(at.database.read, "main", line)).toMatchObject([{ result: "chk_one", stands: false }]);
});

test("two runs agree when verdict, counts and figures do: whole numbers exactly, others to nine digits", () => {
  const attempt = { index: 1, alphaSpent: 0.05, previous: [] };
  const one = result(1, attempt);
  const figures = (mean: number) => ({ ...one, basis: { kind: "statistics" as const, of: "perf.loss", figures: { mean, rows: 10 } } });
  expect(compareResults(one, { ...one, cost: { queries: 9, wallMs: 9 }, notes: ["other"] })).toEqual({ agrees: true, differences: [] });
  expect(compareResults(one, result(2, attempt))).toEqual({ agrees: false, differences: ["figures.columns.0.events: 1 was reported, 2 came out"] });
  expect(compareResults(figures(0.123456789012), figures(0.123456789013)).agrees).toBe(true);
  expect(compareResults(figures(0.12345), figures(0.12346)).agrees).toBe(false);
  expect(compareResults(one, { ...one, verdict: "fail" }).differences).toEqual(['verdict: "pass" was reported, "fail" came out']);
});

test("the draw depends on the entry alone, and reaches every candidate", () => {
  const among = ["a", "b", "c"];
  const drawn = Array.from({ length: 300 }, (_, index) => drawnOf(`ent_${String(index)}`, among));
  expect(among.map((each) => drawn.filter((one) => one === each).length).every((count) => count > 70)).toBe(true);
  expect(drawnOf("ent_1", among)).toBe(drawnOf("ent_1", [...among]));
  expect(drawnOf("ent_1", [])).toBeUndefined();
});
