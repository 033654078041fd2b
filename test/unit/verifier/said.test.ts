import { canonicalize, decisionBatchPredicateType, decisionBatchRoot, digestOf, leafHash, packInMemory, packJson, parseLeaf, predicateType, statementType, verifyPack, type Statement } from "@licet/evidence";
import { describe, expect, test } from "vitest";
import { defaultMeta, exportPack, origin, release, signed, signingKey, signPack, start, statementOf, story, trustFile, type Draft, type Files, type Keys } from "./story.ts";

const keys: Keys = { log: signingKey(), statement: signingKey() };
const trust = trustFile(keys);

async function codes(files: Files): Promise<readonly string[]> {
  const { findings } = await verifyPack({ source: packInMemory(files), trust });
  return findings.filter(({ status }) => status === "fail").map(({ check, code }) => `${check}[${code}]`);
}

async function failures(...drafts: readonly Draft[]): Promise<readonly string[]> {
  return codes((await exportPack(drafts, { keys, meta: { sequences: [] } })).files);
}

type Members = Readonly<Record<string, unknown>>;

interface Saying {
  readonly kind: string;
  readonly predicate: string;
  readonly said: Members;
  readonly body: Members;
}

const at = start + 60_000;
const bound = { entry: "entry_said", space: "main", at };
const keysGone = ["key_1", "key_2"];

/** One entry of each kind that the recorder signs, saying what its body says. */
const sayings: readonly Saying[] = [
  { kind: "hold.placed", predicate: "hold", said: { ...bound, event: "placed", hold: "hold_1", scope: "all", system: null, reason: "drift", by: "per_1" }, body: { hold: "hold_1", scope: "all", system: null, reason: "drift", placedBy: "per_1" } },
  { kind: "hold.placed", predicate: "hold", said: { ...bound, event: "placed", hold: "hold_1", scope: "vendor", system: null, vendor: "Acme", reason: "breach", by: "per_1" }, body: { hold: "hold_1", scope: "vendor", system: null, vendor: "Acme", reason: "breach", placedBy: "per_1" } },
  { kind: "hold.lifted", predicate: "hold", said: { ...bound, event: "lifted", hold: "hold_1", request: "req_1", approvals: ["apr_1"], outcome: "done", by: "per_1" }, body: { hold: "hold_1", request: "req_1", approvals: ["apr_1"], outcome: "done", liftedBy: "per_1" } },
  { kind: "policy.published", predicate: "policy-publication", said: { ...bound, digest: release, policies: [], by: "server" }, body: { digest: release, publishedBy: "server" } },
  {
    kind: "deployment.recorded",
    predicate: "credential-event",
    said: { ...bound, event: "issued", credential: "crd_1", deployment: "dep_1", system: "helpdesk", release, environment: "office", stage: "pilot", ato: "ato_1", expiresAt: at + 1, by: "per_1" },
    body: { credential: { id: "crd_1", expiresAt: at + 1 }, deployment: "dep_1", system: "helpdesk", release, environment: "office", stage: "pilot", ato: "ato_1", recordedBy: "per_1" },
  },
  { kind: "credential.revoked", predicate: "credential-event", said: { ...bound, event: "revoked", credential: "crd_1", deployment: "dep_1", system: "helpdesk", release, reason: "lost", by: "per_1" }, body: { credential: "crd_1", deployment: "dep_1", system: "helpdesk", release, reason: "lost", revokedBy: "per_1" } },
];

function draft({ kind, predicate, said, body }: Saying): Draft {
  const subject = [{ name: "subject", digest: { sha256: release.slice(7) } }];
  const statement: Statement = { _type: statementType, subject, predicateType: predicateType(predicate), predicate: said };
  return { id: "entry_said", kind, actor: "server", time: at, body: { ...body, statement: signed(statement, keys.statement) } };
}

function otherwise(value: unknown): unknown {
  return typeof value === "number" ? value + 1 : Array.isArray(value) ? [...(value as readonly unknown[]), "more"] : value === null ? "another" : `${canonicalize(value).slice(1, -1)}x`;
}

describe.each(sayings)("the statement in $kind", (saying) => {
  test("that says what its entry says verifies", async () => {
    expect(await failures(draft(saying))).toEqual([]);
  });

  test("fails for each member that differs from the entry's", async () => {
    const { policies: _, ...compared } = saying.said;
    for (const [member, value] of Object.entries(compared)) {
      const found = await failures(draft({ ...saying, said: { ...saying.said, [member]: otherwise(value) } }));
      const code = member === "event" ? "statement_other_kind" : member in bound ? "statement_other_entry" : "statement_differs";
      expect([member, ...found]).toEqual([member, `statement[${code}]`]);
    }
  });

  test("fails where a member is left out, or another kind of statement stands there", async () => {
    const { by: _, ...said } = saying.said;
    expect(await failures(draft({ ...saying, said }))).toEqual(["statement[statement_differs]"]);
    expect(await failures(draft({ ...saying, predicate: "another" }))).toEqual(["statement[statement_other_kind]"]);
  });
});

test("a statement names no vendor where its entry names none, and leaves none out", async () => {
  const [all, vendor] = sayings;
  if (all === undefined || vendor === undefined) throw new Error("no saying");
  const { vendor: _, ...said } = vendor.said;
  expect(await failures(draft({ ...vendor, said }))).toEqual(["statement[statement_differs]"]);
  expect(await failures(draft({ ...all, said: { ...all.said, vendor: "Acme" } }))).toEqual(["statement[statement_differs]"]);
});

test("an erasure's statement digests the list of keys in its entry", async () => {
  const body = { occasion: "request", requestedBy: "per_1", keys: keysGone };
  const said = { ...bound, occasion: "request", by: "per_1", keys: { count: 2, digest: digestOf(keysGone) } };
  const of = { kind: "payload.erased", predicate: "erasure", body };
  expect(await failures(draft({ ...of, said }))).not.toContain("statement[statement_differs]");
  expect(await failures(draft({ ...of, said: { ...said, keys: { count: 2, digest: digestOf(["key_1"]) } } }))).toContain("statement[statement_differs]");
});

describe("the test result beside a check result", () => {
  const result = (verdict: string) => statementOf(predicateType("check-result"), { id: "chk_2", release, producer: "licet", producedBy: "server", result: { id: "recall", verdict } });
  const derived = (said: string, lists: Members) => statementOf("https://in-toto.io/attestation/test-result/v0.1", { result: said, configuration: [], warnedTests: [], ...lists });
  const recorded = (verdict: string, test: Statement): Draft => ({ id: "entry_said", kind: "check.recorded", actor: "server", body: { id: "chk_2", statement: signed(result(verdict), keys.statement), testResult: signed(test, keys.statement) } });
  const passed = { passedTests: ["recall"], failedTests: [] };
  const failed = { passedTests: [], failedTests: ["recall"] };

  test("says PASSED for a pass and FAILED for everything else", async () => {
    expect(await failures(recorded("pass", derived("PASSED", passed)))).toEqual([]);
    for (const verdict of ["fail", "insufficient_evidence", "errored", "not_applicable"]) {
      expect(await failures(recorded(verdict, derived("FAILED", failed)))).toEqual([]);
      expect(await failures(recorded(verdict, derived("PASSED", passed)))).toEqual(["statement[test_result_differs]"]);
      expect(await failures(recorded(verdict, derived("WARNED", { ...failed, failedTests: [], warnedTests: ["recall"] })))).toEqual(["statement[test_result_differs]"]);
    }
    expect(await failures(recorded("pass", derived("FAILED", failed)))).toEqual(["statement[test_result_differs]"]);
    expect(await failures(recorded("pass", derived("PASSED", { ...passed, passedTests: ["another"] })))).toEqual(["statement[test_result_differs]"]);
  });
});

describe("statements over decisions", () => {
  interface Exported {
    readonly files: Files;
    readonly leaves: readonly Uint8Array[];
  }

  function batch({ leaves }: Exported, gateway: string, change: Members = {}): Statement {
    const numbered = leaves.flatMap((bytes, index) => {
      const leaf = parseLeaf(bytes);
      return leaf.ok && leaf.value.gateway === gateway && leaf.value.seq !== undefined ? [{ index, seq: leaf.value.seq, bytes }] : [];
    });
    const root = decisionBatchRoot(numbered.map(({ bytes }) => leafHash(bytes)));
    const [from = 1] = numbered.map(({ seq }) => seq);
    const decisions = gateway === "gw-1" ? { allow: 3, deny: 0, unknown: 0 } : { allow: 0, deny: 1, unknown: 0 };
    const indices = numbered.map(({ index }) => index);
    const predicate = { origin, space: "main", gateway, from, to: from + numbered.length - 1, count: numbered.length, decisions, outcomes: 0, root, firstIndex: Math.min(...indices), lastIndex: Math.max(...indices), at: start, ...change };
    const about = "root" in change ? String(change["root"]) : root;
    return { _type: statementType, subject: [{ name: gateway, digest: { sha256: about.slice(7) } }], predicateType: decisionBatchPredicateType, predicate };
  }

  async function withBatches(change: Members = {}, gateways: readonly string[] = ["gw-1", "gw-2"], signer = keys.statement): Promise<readonly string[]> {
    const exported = await exportPack(story(keys), { keys });
    for (const [number, gateway] of gateways.entries()) exported.files.set(`batches/${number}.json`, packJson(signed(batch(exported, gateway, number === 0 ? change : {}), signer)));
    signPack(exported.files, keys.statement, defaultMeta(exported.leaves.length));
    return codes(exported.files);
  }

  test("verify where each covers its gateway's records, shown or by leaf only", async () => {
    expect(await withBatches()).toEqual([]);
  });

  test.each([
    [{ root: release }, "batch_root"],
    [{ from: 2, count: 2, decisions: { allow: 2, deny: 0, unknown: 0 } }, "batch_root"],
    [{ to: 4, count: 4, decisions: { allow: 4, deny: 0, unknown: 0 } }, "batch_incomplete"],
    [{ count: 4 }, "batch_count"],
    [{ decisions: { allow: 2, deny: 1, unknown: 0 } }, "batch_decisions"],
    [{ outcomes: 1, decisions: { allow: 2, deny: 0, unknown: 0 } }, "batch_outcomes"],
    [{ firstIndex: 0 }, "batch_place"],
    [{ origin: "another" }, "batch_other_pack"],
    [{ space: "other" }, "batch_other_pack"],
    [{ at: start + 86_400_000 }, "batch_other_pack"],
    [{ gateway: "gw-3" }, "batch_incomplete"],
    [{ more: true }, "batch_malformed"],
  ])("of %j fails: %s", async (change, code) => {
    expect(await withBatches(change)).toContain(`decision[${code}]`);
  });

  test("by another key, for one gateway only, or twice fail", async () => {
    expect(await withBatches({}, ["gw-1", "gw-2"], signingKey())).toEqual(["decision[signature_missing]", "decision[signature_missing]"]);
    expect(await withBatches({}, ["gw-1"])).toEqual(["decision[batch_missing]"]);
    expect(await withBatches({}, ["gw-1", "gw-2", "gw-1"])).toEqual(["decision[batch_missing]"]);
  });
});
