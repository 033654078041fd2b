import { spawnSync } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decodeProof, leafHash, packInMemory, parseCheckpoint, parseNote, parseTlogProof, parseTrust, parseVkey, readDecisionBatch, sha256Hex, statementKeyId, utf8, verifyCheckpoint, verifyConsistency, verifyDecisionBatch, verifyInclusion, verifyPack, verifyStatement, verifyTlogProof, type Statement, type Vkey } from "@licet/evidence";
import { predicates } from "@licet/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { manualClock } from "../base/clock.ts";
import { auditPack } from "../controls/audit-pack.ts";
import { statementHandlers } from "../controls/statement-handlers.ts";
import { decisionRecord } from "../gateway/record.ts";
import type { CredentialView } from "../gateway/snapshot.ts";
import type { Caller } from "../http/handlers.ts";
import { tlogOraclePresent } from "../ledger/tlog-oracle.ts";
import { placeHold } from "../oversight/holds.ts";
import { builtinBundle } from "../policy/bundle.ts";
import { publishBuiltin } from "../policy/publish.ts";
import { packSource } from "./pack-source.ts";
import { openRecordKeeping, type RecordKeeping } from "./record-keeping.ts";
import { restore } from "./restore.ts";
import { statementSource } from "./statement-source.ts";

const start = Date.UTC(2026, 10, 20, 22);
const hour = 3_600_000;
const clock = manualClock(start);
const caller: Caller = { personId: "per_1", email: "a@example.org", name: "A", space: "main", roles: [], authenticatedAt: start, method: "password", ip: "127.0.0.1" };
const oracle = fileURLToPath(new URL("../../../../../shared/evidence/verify_tlog.py", import.meta.url));

let folder: string;
let records: RecordKeeping;
let handlers: ReturnType<typeof statementHandlers>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "licet-statements-"));
  records = await openRecordKeeping({ directory: join(folder, "data"), keysDirectory: join(folder, "keys"), clock });
  const { database, recorder, log, keys } = records;
  handlers = statementHandlers({ read: database.read, recorder, engine: database.engine, signStatement: (statement) => keys.signStatement(statement), ...statementSource({ log, recorder }) });
  await publishBuiltin(recorder, "main", builtinBundle());
  await placeHold(recorder, { space: "main", scope: "all", reason: "drift", by: "per_1" });
  await traffic();
  // Rows of decisions follow the log; the tests below read them.
  await records.recorder.settle();
});
afterAll(async () => {
  await records.close();
  await rm(folder, { recursive: true, force: true });
});

const deployment = { id: "dep_1", space: "main", system: "helpdesk", release: `sha256:${"a".repeat(64)}` };
// Only what a record needs of a credential: the rest is the gateway's own.
const credential = { id: "crd_1", deployment } as unknown as CredentialView;

/** Three calls of one run, the second denied, the third without token counts and on the next day. */
async function traffic(): Promise<void> {
  const record = decisionRecord({ ledger: records.recorder, gateway: "gw_run" });
  const more = { endpoint: "/v1/chat/completions", provider: "models", region: "eu", upstreamModel: "sim-1", stream: false, requestBytes: 10, messages: null, scanned: "full" };
  const refusal = { code: "held", status: 403, policy: "hold", remedy: "wait" } as unknown as NonNullable<Parameters<typeof record.decision>[0]["refusal"]>;
  const decide = async (refused: boolean): Promise<string> => {
    const answer = await record.decision({ kind: "gateway.decision", facts: { action: "callModel", time: clock.now(), credential, model: "chat", reasons: [], policyErrors: [], findings: [], more }, ...(refused ? { refusal } : {}) });
    return "id" in answer ? answer.id : "";
  };
  const end = (decision: string, usage: { readonly prompt: number; readonly completion: number; readonly total: number } | null) =>
    record.outcome({
      decision,
      credential,
      body: { deployment: deployment.id, release: deployment.release, status: 200, code: null, finish: "complete", finishReasons: [], abortedBy: null, usage, findings: [], scanned: "full", answerBytes: 5, timings: { decisionMs: 1, firstByteMs: 1, totalMs: 2 }, upstreamStatus: 200 },
    });
  await end(await decide(false), { prompt: 100, completion: 20, total: 120 });
  await decide(true);
  clock.advance(3 * hour);
  await end(await decide(false), null);
}

async function holdEntry(kind: string): Promise<string> {
  const row = await records.database.read.selectFrom("entry").select("id").where("kind", "=", kind).executeTakeFirstOrThrow();
  return row.id;
}

const trusted = () => {
  const trust = parseTrust(JSON.stringify(records.keys.trustFile()));
  if (!trust.ok) throw new Error(trust.message);
  return trust.value;
};

async function statementIn(content: unknown): Promise<Statement> {
  const verified = await verifyStatement(content, trusted().keys);
  if (!verified.ok) throw new Error(verified.message);
  return verified.value.statement;
}

const ask = (entry: string, format: "dsse" | "sigstore" | "svr" | "vsa" | "test-result" | "tlog-proof", space = "main") => handlers.exportStatement({ params: { space, entry }, query: { format } }, caller, { add: () => undefined });

describe("the recorder", () => {
  test("signs what a hold says into its entry, with the entry's own id, space and time", async () => {
    const id = await holdEntry("hold.placed");
    const entry = await records.recorder.read("main", id);
    const statement = await statementIn(entry?.body["statement"]);
    expect(statement.predicate).toMatchObject({ event: "placed", entry: id, space: "main", scope: "all", system: null, reason: "drift", by: "per_1", at: entry?.time });
    expect(predicates.hold.schema.safeParse(statement.predicate).success).toBe(true);
    expect(statement.subject).toEqual([{ name: "space/main", digest: { sha256: sha256Hex(utf8('{"kind":"space","name":"main","space":"main"}')) } }]);
  });

  test("signs a policy publication about the bundle itself", async () => {
    const entry = await records.recorder.read("main", await holdEntry("policy.published"));
    const statement = await statementIn(entry?.body["statement"]);
    expect(`sha256:${statement.subject[0]?.digest.sha256}`).toBe(builtinBundle().digest);
    expect(statement.predicate).toMatchObject({ digest: builtinBundle().digest, by: "server" });
  });
});

describe("an export", () => {
  test("gives the envelope exactly as signed, and as a bundle with the same payload", async () => {
    const id = await holdEntry("hold.placed");
    const dsse = await ask(id, "dsse");
    const entry = await records.recorder.read("main", id);
    expect(JSON.parse(dsse.content)).toEqual(entry?.body["statement"]);
    const bundle = JSON.parse((await ask(id, "sigstore")).content) as { readonly dsseEnvelope: { readonly payload: string }; readonly verificationMaterial: { readonly publicKey: { readonly hint: string } } };
    expect(bundle.dsseEnvelope.payload).toBe((JSON.parse(dsse.content) as { readonly payload: string }).payload);
    const [key] = trusted().keys;
    expect(bundle.verificationMaterial.publicKey.hint).toBe(statementKeyId(key?.publicKey ?? new Uint8Array(0)));
  });

  test("finds an entry by its number, and none of another space", async () => {
    const index = await records.database.read.selectFrom("entry").select(["id", "log_index"]).where("kind", "=", "hold.placed").executeTakeFirstOrThrow();
    expect((await ask(String(index.log_index), "dsse")).entry).toBe(index.id);
    await expect(ask(index.id, "dsse", "other")).rejects.toMatchObject({ code: "not_found" });
    await expect(ask(String(index.log_index), "tlog-proof", "other")).rejects.toMatchObject({ code: "not_found" });
    await expect(ask("999999", "tlog-proof")).rejects.toMatchObject({ code: "not_found" });
  });

  test("makes up nothing that the entry does not say", async () => {
    const id = await holdEntry("hold.placed");
    for (const format of ["svr", "vsa", "test-result"] as const) await expect(ask(id, format)).rejects.toMatchObject({ code: "statement_format_unfit" });
    const decision = await records.database.read.selectFrom("decision").select("id").executeTakeFirstOrThrow();
    await expect(ask(decision.id, "dsse")).rejects.toMatchObject({ code: "statement_absent" });
  });

  test("proves any entry, decisions too, by a file that an independent verifier accepts with its leaf and rejects with another", async () => {
    const decision = await records.database.read.selectFrom("decision").select(["id", "log_index"]).executeTakeFirstOrThrow();
    const proof = await ask(decision.id, "tlog-proof");
    const parsed = parseTlogProof(proof.content);
    expect(parsed).toMatchObject({ ok: true, value: { index: decision.log_index } });
    const [file, leaf, other] = ["p.tlog-proof", "p.leaf", "other.leaf"].map((name) => join(folder, name)) as [string, string, string];
    await writeFile(file, proof.content);
    await writeFile(leaf, proof.leaf ?? "");
    await writeFile(other, `${proof.leaf ?? ""} `);
    const own = await verifyTlogProof({ proof: proof.content, leafHash: leafHash(utf8(proof.leaf ?? "")), trust: trusted(), policy: null });
    expect(own).toMatchObject({ ok: true, value: { index: decision.log_index } });
    const run = (entry: string) => spawnSync("/usr/bin/python3", [oracle, "proof", file, "--vkey", records.log.vkey, "--entry", entry]).status;
    // Without the independent verifier on this machine our own has judged alone.
    expect(tlogOraclePresent ? [run(leaf), run(other)] : [0, 1]).toEqual([0, 1]);
  });
});

describe("consistency", () => {
  const sizeAndRoot = (note: string) => {
    const opened = parseNote(note);
    const checkpoint = opened.ok ? parseCheckpoint(opened.value.text) : opened;
    if (!checkpoint.ok) throw new Error(checkpoint.message);
    return checkpoint.value;
  };

  test("is proved from any earlier size to the newest checkpoint, or to one in between", async () => {
    const old = sizeAndRoot(await records.log.publish());
    await placeHold(records.recorder, { space: "main", scope: "all", reason: "again", by: "per_1" });
    const proved = await handlers.proveConsistency({ params: { space: "main" }, query: { from: old.size } }, caller, { add: () => undefined });
    const newest = sizeAndRoot(proved.checkpoint ?? "");
    const hashes = decodeProof(proved.proof);
    expect([proved.from, proved.to]).toEqual([old.size, newest.size]);
    expect(hashes.ok && verifyConsistency({ oldSize: old.size, newSize: newest.size, oldRoot: old.root, newRoot: newest.root, proof: hashes.value })).toBe(true);
    const between = await handlers.proveConsistency({ params: { space: "main" }, query: { from: 2, to: old.size, origin: records.log.origin } }, caller, { add: () => undefined });
    const roots = { oldRoot: await records.log.rootAt(2), newRoot: old.root };
    const inner = decodeProof(between.proof);
    expect(inner.ok && verifyConsistency({ oldSize: 2, newSize: old.size, ...roots, proof: inner.value })).toBe(true);
  });

  test("is not proved for a log or a size that is not there", async () => {
    for (const query of [{ from: 0, origin: "nobody" }, { from: 0, to: 99_999 }, { from: 99_999 }]) {
      await expect(handlers.proveConsistency({ params: { space: "main" }, query }, caller, { add: () => undefined })).rejects.toMatchObject({ code: "not_found" });
    }
  });
});

describe("a statement over a gateway's decisions", () => {
  const sign = (body: { readonly from?: number; readonly to?: number }, gateway = "gw_run", space = "main") => handlers.signDecisions({ params: { space, gateway }, body }, caller, { add: () => undefined });

  async function leaves(from: number, to: number): Promise<readonly Uint8Array[]> {
    const found = new Map<number, Uint8Array>();
    for await (const { leaf } of records.log.scan(0)) {
      const { gateway, seq } = JSON.parse(Buffer.from(leaf).toString("utf8")) as { readonly gateway?: string; readonly seq?: number };
      if (gateway === "gw_run" && seq !== undefined && from <= seq && seq <= to) found.set(seq, leaf);
    }
    return [...found].sort(([left], [right]) => left - right).map(([, leaf]) => leaf);
  }

  test("counts them and is proved complete by the leaves alone, whole and in part", async () => {
    const whole = await sign({});
    const batch = readDecisionBatch(await statementIn(whole.statement));
    expect(batch).toMatchObject({ ok: true, value: { from: 1, to: 5, count: 5, decisions: { allow: 2, deny: 1, unknown: 0 }, outcomes: 2 } });
    if (!batch.ok) return;
    const all = await leaves(1, 5);
    expect(verifyDecisionBatch(batch.value, all).ok).toBe(true);
    expect(verifyDecisionBatch(batch.value, all.slice(1))).toMatchObject({ code: "batch_incomplete" });
    expect(verifyDecisionBatch(batch.value, [...all.slice(1), ...all.slice(0, 1)])).toMatchObject({ code: "batch_order" });
    const part = readDecisionBatch(await statementIn((await sign({ from: 2, to: 4 })).statement));
    expect(part.ok && verifyDecisionBatch(part.value, await leaves(2, 4)).ok).toBe(true);
  });

  test("is refused over a gap, over what is not there yet, and for an unknown run", async () => {
    await expect(sign({ to: 6 })).rejects.toMatchObject({ code: "decisions_incomplete", at: { number: 6 } });
    await expect(sign({ from: 7 })).rejects.toMatchObject({ code: "decisions_incomplete", at: { number: 7 } });
    await expect(sign({}, "gw_nobody")).rejects.toMatchObject({ code: "gateway_unknown" });
    await expect(sign({}, "gw_run", "other")).rejects.toMatchObject({ code: "gateway_unknown" });
  });
});

describe("once an erasure has taken the rows of decisions", () => {
  test("their records are still found in the log, and a run that never was is still unknown", async () => {
    const { operational } = records.database;
    const rows = await operational.selectFrom("decision").selectAll().execute();
    const body = { erasure: "era_1", occasion: "schedule", target: { kind: "schedule", class: "runtime", before: start + 9 * hour }, class: "runtime", before: start + 9 * hour, keys: ["key_1"], counts: { keys: 1, entries: 3 }, basis: "retention", requestedBy: "server", request: null, approvals: [], tombstone: null };
    await operational.insertInto("erasure").values({ space: "main", id: "era_1", occasion: "schedule", state: "done", body: JSON.stringify(body), intended_at: start, done_at: start, entry: "ent_1" }).execute();
    await operational.deleteFrom("decision").execute();
    const sign = (gateway: string) => handlers.signDecisions({ params: { space: "main", gateway }, body: {} }, caller, { add: () => undefined });
    try {
      expect(await sign("gw_run")).toMatchObject({ from: 1, to: 5 });
      await expect(sign("gw_nobody")).rejects.toMatchObject({ code: "gateway_unknown" });
    } finally {
      await operational.deleteFrom("erasure").execute();
      await operational.insertInto("decision").values(rows).execute();
    }
  });
});

describe("an audit pack", () => {
  const pack = async () => {
    const { log, keyring, recorder, keys } = records;
    const source = packSource({ log, keyring, recorder, signPack: (type, payload) => keys.signEnvelope(type, payload), signStatement: (statement) => keys.signStatement(statement) });
    return auditPack(source, { space: "main", exportedAt: recorder.now() });
  };

  test("holds one signed statement for each gateway run, which the offline verifier finds complete", async () => {
    const files = new Map((await pack()).map(({ path, bytes }) => [path, bytes]));
    expect([...files.keys()].filter((path) => path.startsWith("batches/"))).toEqual(["batches/0.json"]);
    const report = await verifyPack({ source: packInMemory(files), trust: JSON.stringify(records.keys.trustFile()) });
    expect(report.findings.filter(({ status }) => status === "fail")).toEqual([]);
    const sentences = report.findings.map(({ sentence }) => sentence).join("\n");
    expect(sentences).toContain("1 signed statement covers 5 numbered records");
    expect(sentences).toMatch(/\d statements say what the entry around/u);
  });
});

describe("what the log knows of usage", () => {
  const usage = async (query: { readonly from: number; readonly to: number; readonly provider?: string }, space = "main") => (await handlers.showUsage({ params: { space }, query }, caller, { add: () => undefined })).items;
  const first = Date.UTC(2026, 10, 20);

  test("is per UTC day and model: denied calls are no calls, and calls without counts are counted", async () => {
    const row = { provider: "models", model: "sim-1", calls: 1, answered: 1 };
    expect(await usage({ from: first, to: first + 48 * hour })).toEqual([
      { ...row, day: first, tokensUnknown: 0, inputTokens: 100, outputTokens: 20 },
      { ...row, day: first + 24 * hour, tokensUnknown: 1, inputTokens: 0, outputTokens: 0 },
    ]);
  });

  test("is of the period, the provider and the space that were asked for", async () => {
    expect(await usage({ from: start + hour, to: first + 48 * hour })).toMatchObject([{ day: first + 24 * hour }]);
    expect(await usage({ from: first, to: start })).toEqual([]);
    expect(await usage({ from: first, to: first + 48 * hour, provider: "others" })).toEqual([]);
    expect(await usage({ from: first, to: first + 48 * hour }, "other")).toEqual([]);
    await expect(usage({ from: first, to: first })).rejects.toMatchObject({ code: "usage_period" });
    const { erasures } = await handlers.showUsage({ params: { space: "main" }, query: { from: first, to: first + hour } }, caller, { add: () => undefined });
    expect(erasures).toBe(0);
    await expect(usage({ from: 0, to: first })).rejects.toMatchObject({ code: "usage_period" });
  });
});

describe("after a restore", () => {
  test("an entry of the frozen shard is proved against that shard's own checkpoint, and its sizes against each other", async () => {
    const [data, keysDirectory, backup, restored] = ["data2", "keys2", "backup2", "restored2"].map((name) => join(folder, name)) as [string, string, string, string];
    const fill = async (of: RecordKeeping, holds: number): Promise<void> => {
      for (let count = 0; count < holds; count += 1) await placeHold(of.recorder, { space: "main", scope: "all", reason: "drift", by: "per_1" });
    };
    const first = await openRecordKeeping({ directory: data, keysDirectory, clock });
    await fill(first, 3);
    await first.close();
    await cp(data, backup, { recursive: true });
    await restore({ from: backup, directory: restored, keysDirectory, clock, by: "tester" });
    const second = await openRecordKeeping({ directory: restored, keysDirectory, clock });
    try {
      await fill(second, 2);
      const source = statementSource(second);
      const [frozen, live] = second.log.shards;
      const [old, late] = [await source.proved(1), await source.proved(5)];
      expect([old.origin, old.index, late.origin, late.index]).toEqual([frozen?.origin, 1, live?.origin, 2]);
      for (const { origin, checkpoint, leaf, index, proof } of [old, late]) {
        const vkeys = second.log.shards.filter((shard) => shard.origin === origin).flatMap(({ vkey }) => vkeysOf(vkey));
        const signed = await verifyCheckpoint(checkpoint, { origin, vkeys });
        expect(signed.ok && verifyInclusion({ index, size: signed.value.size, leafHash: leafHash(leaf), proof, root: signed.value.root })).toBe(true);
      }
      expect(await source.tree(frozen?.origin)).toMatchObject({ origin: frozen?.origin, size: 3 });
      expect((await source.tree(undefined))?.origin).toBe(live?.origin);
    } finally {
      await second.close();
    }
  });
});

function vkeysOf(text: string): readonly Vkey[] {
  const vkey = parseVkey(text);
  return vkey.ok ? [vkey.value] : [];
}
