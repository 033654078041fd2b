import { afterEach, beforeEach, expect, test } from "vitest";
import { manualClock } from "../../base/clock.ts";
import { dump, install, newDirectory, removeDirectory, type Installation } from "../../ledger/recorder-fixture.ts";
import { registryOf } from "../../ledger/registry.ts";
import { rebuildDatabase } from "../../ledger/replay.ts";
import { assuranceEntries } from "../entries.ts";
import { findCiRegistration, findCiRun, listCiRegistrations } from "../store.ts";
import { carryOutRegistration, removeRegistration } from "./registration.ts";

const clock = manualClock(Date.UTC(2026, 10, 22, 9));
const digest = (text: string): string => `sha256:${text.repeat(64)}`;
const names = { repository: "repository", ref: "ref", workflow: "workflow_ref", commit: "sha", run: "run_id" };
const claims = [{ claim: "repository", value: "octo/app" }, { claim: "ref", value: "refs/heads/main" }, { claim: "workflow_ref", value: "octo/app/x.yml@*" }];
const detail = { kind: "github", issuer: "https://token.example.org", audience: "licet", names, claims, allowPrivate: false };
const approved = { space: "main", system: "example", request: "req_one", detail, by: "per_ada", outcome: "approved" };

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

test("a registration that is carried out again after a crash is one registration, and the same rules are not registered twice", async () => {
  const deps = { recorder: at.recorder, read: at.database.read };
  expect(await carryOutRegistration(deps, approved)).toBeUndefined();
  expect(await carryOutRegistration(deps, approved)).toBeUndefined();
  expect(await listCiRegistrations(at.database.read, "main", "example")).toHaveLength(1);
  expect(await carryOutRegistration(deps, { ...approved, request: "req_two" })).toEqual({ returned: expect.stringContaining("the same issuer") });
  expect(await listCiRegistrations(at.database.read, "other", "example")).toHaveLength(0);
});

test("registrations, runs, replays and removals come out of the log again as they were", async () => {
  const deps = { recorder: at.recorder, read: at.database.read };
  await carryOutRegistration(deps, approved);
  const [registration] = await listCiRegistrations(at.database.read, "main", "example");
  const id = registration?.id ?? "";
  const provenance = { run: "cir_one", registration: id, issuer: detail.issuer, repository: "octo/app", ref: "refs/heads/main", workflow: "octo/app/x.yml@refs/heads/main", commit: null, runId: null, runUrl: null };
  const commit = (kind: string, body: Parameters<typeof at.recorder.append>[0]["body"]) =>
    at.recorder.commit(async () => ({ entry: { kind, space: "main", actor: "cir_one", system: "example", subject: "system:example", class: "governance" as const, body }, value: undefined }));
  await commit("ci.exchanged", { ...provenance, system: "example", subject: "repo:octo/app", actor: { actor: "octocat" }, authors: ["a@example.org"], tokenDigest: digest("a"), tokenUse: digest("b"), secretDigest: digest("c"), expiresAt: clock.now() + 1 });
  await commit("ticket.issued", { id: "tkt_one", system: "example", release: digest("d"), producer: "ci", checks: ["x"], datasets: {}, seed: "00", attempt: 1, issuedTo: "cir_one", leaseUntil: clock.now() + 1 });
  await commit("ci.refused", { run: "cir_one", registration: id, system: "example", cause: "replayed", tokenDigest: digest("a") });
  await removeRegistration(deps, { space: "main", system: "example", registration: id, reason: "gone", by: "per_bob" });
  await removeRegistration(deps, { space: "main", system: "example", registration: id, reason: "again", by: "per_eve" });
  expect(await findCiRegistration(at.database.read, "main", id)).toMatchObject({ removed_by: "per_bob", removed_because: "gone" });
  expect(await findCiRun(at.database.read, "main", "cir_one")).toMatchObject({ ticket: "tkt_one", replayed_at: clock.now(), provenance, authors: ["a@example.org"] });
  const { database, log, keyring } = at;
  const lived = await dump(database);
  await rebuildDatabase({ database, log, keyring, registry: registryOf(assuranceEntries), now: () => clock.now() });
  expect(await dump(database)).toEqual(lived);
});
