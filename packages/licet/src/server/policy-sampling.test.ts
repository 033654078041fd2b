import { afterEach, beforeEach, expect, test } from "vitest";
import { manualClock } from "../base/clock.ts";
import { decide, type CedarCall } from "../gateway/decide.ts";
import type { PolicyBundleView } from "../gateway/snapshot.ts";
import { install, newDirectory, removeDirectory, type Installation } from "../ledger/recorder-fixture.ts";
import { builtinSource } from "../policy/builtin.ts";
import { createDecider, isDistrusted, type Decider, type PolicyDecision } from "../policy/decide.ts";
import { policyEntries } from "../policy/entries.ts";
import { mismatchDraft } from "../policy/mismatch.ts";
import { workloadRequest } from "../policy/request-fixture.ts";
import { decideSampled, type Sampler } from "../policy/sampling.ts";
import { uncheckedBundle } from "../policy/bundle-fixture.ts";
import { openSampling } from "./policy-sampling.ts";
import { constant } from "../ledger/canonical-text.ts";

const clock = manualClock(Date.UTC(2026, 10, 20, 17));
let directory: string;
let installation: Installation;
const opened: Sampler[] = [];

beforeEach(async () => {
  directory = await newDirectory();
  installation = await install({ directory, clock, definitions: policyEntries });
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((sampler) => sampler.close()));
  await installation.close();
  await removeDirectory(directory);
});

async function sampling(): Promise<{ readonly sampler: Sampler; readonly lines: string[] }> {
  const lines: string[] = [];
  const error = (_: object, message: string) => lines.push(message);
  const sampler = await openSampling({ records: installation, clock, log: { error }, share: 1 });
  opened.push(sampler);
  return { sampler, lines };
}

const allowed: PolicyDecision = { decision: "allow", reasons: [], errors: [], warnings: [], shadowed: [], advisoryErrors: [] };
/** A bundle of its own for each test, because distrust lasts as long as the process. */
const own = (name: string) =>
  uncheckedBundle({
    schema: builtinSource().schema,
    texts: [
      `@id("${name}.call") permit (principal is Licet::Workload, action in Licet::Action::"runtime", resource is Licet::Model);`,
      `@id("${name}.held") @requirement("held") forbid (principal, action in Licet::Action::"runtime", resource) unless { principal is Licet::Workload && principal has held && principal.held == false };`,
    ],
  });

async function until(reached: () => Promise<boolean>): Promise<void> {
  for (let n = 0; n < 1000 && !(await reached()); n++) await new Promise((resolve) => setTimeout(resolve, 20));
}

test("a live decision that cedar-wasm makes otherwise is logged and recorded, and answers given before it no longer count", async () => {
  const bundle = own("live");
  const { sampler, lines } = await sampling();
  const wrong: Decider = { ...createDecider(bundle), decide: () => allowed };
  const asked = { decider: wrong, sampler, space: "main" };
  const view: PolicyBundleView = { digest: bundle.digest, decide: async (request) => decideSampled(asked, request), epoch: () => (isDistrusted(bundle.digest) ? 1 : 0) };
  const call = constant({ ...workloadRequest({ held: true }), context: { now: { __extn: { fn: "datetime", arg: "2026-11-20T17:00:00.000Z" } }, release: `sha256:${"ab".repeat(32)}`, dataClasses: ["internal"] } }) as CedarCall;
  expect((await decide(view, call)).decision.decision).toBe("allow");
  await until(async () => (await installation.database.read.selectFrom("policy_mismatch").selectAll().execute()).length > 0);
  const [row] = await installation.database.read.selectFrom("policy_mismatch").selectAll().execute();
  expect(row).toMatchObject({ space: "main", bundle: bundle.digest, found_at: clock.now() });
  expect(JSON.parse(row?.ours ?? "{}")).toMatchObject({ decision: "allow", reasons: [] });
  expect(JSON.parse(row?.reference ?? "{}")).toMatchObject({ decision: "deny", reasons: ["live.held"] });
  expect(lines).toEqual(["a decision came out otherwise by cedar-wasm, which decides from now on"]);
  expect(await decide(view, call)).toMatchObject({ decision: { decision: "deny", reasons: [{ policy: "live.held" }] }, refusal: { code: "held" } });
  expect(createDecider(bundle).decide(workloadRequest({ held: true })).decision).toBe("deny");
});

test("a recorded mismatch outlives the process: at the next start cedar-wasm decides that bundle", async () => {
  const bundle = own("later");
  const outcome = { decision: "deny" as const, reasons: [], errors: [], warnings: [], shadowed: [] };
  await installation.recorder.commit(async () => ({ entry: mismatchDraft({ space: "main", policyDigest: bundle.digest, requestDigest: `sha256:${"cd".repeat(32)}`, ours: outcome, theirs: outcome, at: clock.now() }), value: undefined }));
  expect(isDistrusted(bundle.digest)).toBe(false);
  await sampling();
  expect(isDistrusted(bundle.digest)).toBe(true);
});
