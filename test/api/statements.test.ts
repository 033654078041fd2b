import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "@licet/client";
import { formatNote, leafHash, parseNote, parseTrust, verifyStatement, verifyTlogProof } from "@licet/evidence";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reportFailure } from "../../packages/licet/src/cli/failure.ts";
import { addStatementCommands, addStatementGroups } from "../../packages/licet/src/cli/statement-commands.ts";
import { decisionRecord } from "../../packages/licet/src/gateway/record.ts";
import type { CredentialView } from "../../packages/licet/src/gateway/snapshot.ts";
import { install, type Installation } from "./installation.ts";

let installation: Installation;
let folder: string;
let client: Client;
let token: string;
let hold: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "licet-statements-api-"));
  installation = await install();
  ({ client, token } = await installation.person("main", ["security-engineer"]));
  await client("placeHold", { params: { space: "main" }, body: { scope: "all", reason: "drift" } });
  hold = installation.entries.find(({ kind }) => kind === "hold.placed")?.id ?? "";
  await traffic();
});
afterAll(async () => {
  await installation.close();
  await rm(folder, { recursive: true, force: true });
});

/** Two calls by a gateway's own recording, on the real log: the second's stream was cut, so its tokens are unknown. */
async function traffic(): Promise<void> {
  const { recorder } = installation.identity.people;
  const deployment = { id: "dep_1", space: "main", system: "helpdesk", release: `sha256:${"a".repeat(64)}` };
  const credential = { id: "crd_1", deployment } as unknown as CredentialView;
  const record = decisionRecord({ ledger: recorder, gateway: "gw_run" });
  const more = { endpoint: "/v1/chat/completions", provider: "models", region: "eu", upstreamModel: "sim-1", stream: false, requestBytes: 10, messages: null, scanned: "full" };
  for (const usage of [{ prompt: 100, completion: 20, total: 120 }, null]) {
    const decided = await record.decision({ kind: "gateway.decision", facts: { action: "callModel", time: recorder.now(), credential, model: "chat", reasons: [], policyErrors: [], findings: [], more } });
    const body = { deployment: deployment.id, release: deployment.release, status: 200, code: null, finish: "complete", finishReasons: [], abortedBy: null, usage, findings: [], scanned: "full", answerBytes: 5, timings: { decisionMs: 1, firstByteMs: 1, totalMs: 2 }, upstreamStatus: 200 };
    await record.outcome({ decision: "id" in decided ? decided.id : "", credential, body });
  }
}

const file = (name: string): string => join(folder, name);

/** The commands as they are called, against the real server; the exit code and what was printed. */
async function licet(...args: readonly string[]): Promise<{ readonly exit: unknown; readonly text: string }> {
  const lines: string[] = [];
  const write = (text: string): void => void lines.push(text);
  const terminal = { out: write, err: write, colour: false, width: 100 };
  const root = new Command("licet").exitOverride();
  addStatementGroups(root, terminal);
  addStatementCommands(root.command("log"), terminal);
  process.env["LICET_TOKEN"] = token;
  process.env["LICET_URL"] = installation.baseUrl;
  let exit: unknown;
  try {
    process.exitCode = undefined;
    await root.parseAsync([...args], { from: "user" });
    exit = process.exitCode;
  } catch (error) {
    exit = reportFailure(terminal, error);
  }
  process.exitCode = undefined;
  return { exit, text: lines.join("\n") };
}

async function trusted() {
  const { trust } = await client("showLog", { params: { space: "main" } });
  const parsed = parseTrust(JSON.stringify(trust));
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

describe("licet statement export", () => {
  test("writes what verifies with the trust file, and writes over nothing", async () => {
    const out = file("hold.json");
    expect(await licet("statement", "export", hold, "--out", out)).toMatchObject({ exit: 0, text: expect.stringContaining("hold.placed") });
    const verified = await verifyStatement(JSON.parse(await readFile(out, "utf8")), (await trusted()).keys);
    expect(verified).toMatchObject({ ok: true, value: { statement: { predicateType: "https://licet.dev/predicate/hold/v1", predicate: { event: "placed", entry: hold } } } });
    expect(await licet("statement", "export", hold, "--out", out)).toMatchObject({ exit: 3, text: expect.stringContaining("already_exists") });
    expect((await licet("statement", "export", hold, "--format", "sigstore", "--out", out, "--force")).exit).toBe(0);
    expect(JSON.parse(await readFile(out, "utf8"))).toMatchObject({ mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json" });
  });

  test("writes nothing for a format that the entry cannot be given in, and says what to do", async () => {
    const out = file("none.json");
    expect(await licet("statement", "export", hold, "--format", "vsa", "--out", out)).toMatchObject({ exit: 1, text: expect.stringContaining("statement_format_unfit") });
    expect(await licet("statement", "export", "ent_nothing", "--out", out)).toMatchObject({ exit: 1, text: expect.stringContaining("not_found") });
    expect(existsSync(out)).toBe(false);
  });
});

describe("licet log proof", () => {
  test("writes a proof with its leaf beside it, which verify together and not apart", async () => {
    const out = file("hold.tlog-proof");
    const { row } = await client("showLogEntry", { params: { space: "main", entry: hold } });
    expect((await licet("log", "proof", String(row.index), "--out", out)).exit).toBe(0);
    const [proof, leaf] = [await readFile(out, "utf8"), await readFile(`${out}.leaf`)];
    const trust = await trusted();
    expect(JSON.parse(leaf.toString("utf8"))).toMatchObject({ id: hold, kind: "hold.placed" });
    expect(await verifyTlogProof({ proof, leafHash: leafHash(leaf), trust, policy: null })).toMatchObject({ ok: true, value: { index: row.index } });
    expect((await verifyTlogProof({ proof, leafHash: leafHash(leaf.subarray(1)), trust, policy: null })).ok).toBe(false);
  });
});

describe("licet log consistency", () => {
  const checkpoint = async (): Promise<string> => (await client("showLog", { params: { space: "main" } })).checkpoint;

  test("proves here that the log continues a checkpoint that was kept, with keys of a trust file", async () => {
    await writeFile(file("old"), await checkpoint());
    await writeFile(file("trust.json"), JSON.stringify((await client("showLog", { params: { space: "main" } })).trust));
    await client("placeHold", { params: { space: "main" }, body: { scope: "all", reason: "again" } });
    await writeFile(file("new"), await checkpoint());
    expect(await licet("log", "consistency", "--old", file("old"), "--trust", file("trust.json"))).toMatchObject({ exit: 0, text: expect.stringContaining("\nconsistent: ") });
    expect(await licet("log", "consistency", "--old", file("old"), "--new", file("new"))).toMatchObject({ exit: 0, text: expect.stringContaining("compare the fingerprint") });
  });

  test("of a newer one that is smaller is refused as rolled back", async () => {
    expect(await licet("log", "consistency", "--old", file("new"), "--new", file("old"))).toMatchObject({ exit: 1, text: expect.stringContaining("rolled back") });
  });

  test("takes no checkpoint with a byte changed, or of another log", async () => {
    const text = await readFile(file("old"), "utf8");
    const note = parseNote(text);
    if (!note.ok) throw new Error(note.message);
    const changed = text.replace(/^(\S+\n)(\d+)/u, (_, origin: string, size: string) => `${origin}${Number(size) - 1}`);
    await writeFile(file("changed"), changed);
    expect(await licet("log", "consistency", "--old", file("changed"))).toMatchObject({ exit: 3, text: expect.stringContaining("checkpoint_unusable") });
    await writeFile(file("other"), formatNote(note.value.text.replace(/^\S+/u, "other.example/log"), text.split("\n\n")[1]?.split("\n").filter((line) => line !== "").map((line) => `${line}\n`) ?? []));
    expect(await licet("log", "consistency", "--old", file("other"))).toMatchObject({ exit: 3, text: expect.stringContaining("checkpoint_unusable") });
  });
});

describe("licet statement decisions", () => {
  test("writes a signed statement over a run's numbers, and refuses one over a gap", async () => {
    const out = file("decisions.json");
    expect(await licet("statement", "decisions", "--gateway", "gw_run", "--out", out)).toMatchObject({ exit: 0, text: expect.stringContaining("records 1 to 4 of gw_run") });
    const verified = await verifyStatement(JSON.parse(await readFile(out, "utf8")), (await trusted()).keys);
    expect(verified).toMatchObject({ ok: true, value: { statement: { predicate: { count: 4, decisions: { allow: 2, deny: 0, unknown: 0 }, outcomes: 2 } } } });
    expect(await licet("statement", "decisions", "--gateway", "gw_run", "--to", "5", "--out", file("gap.json"))).toMatchObject({ exit: 1, text: expect.stringContaining("decisions_incomplete") });
    expect(existsSync(file("gap.json"))).toBe(false);
  });
});

describe("licet reconcile", () => {
  let today: string;
  let tomorrow: string;
  beforeAll(() => {
    const at = installation.entries.find(({ kind }) => kind === "gateway.decision")?.time ?? 0;
    [today, tomorrow] = [new Date(at), new Date(at + 86_400_000)].map((time) => time.toISOString().slice(0, 10)) as [string, string];
  });
  async function bill(...rows: readonly string[]): Promise<string> {
    await writeFile(file("usage.csv"), `start,end,model,requests,input_tokens,output_tokens\n${rows.map((row) => `${today},${tomorrow},${row}\n`).join("")}`);
    return file("usage.csv");
  }
  const reconcile = async (...rows: readonly string[]) => licet("reconcile", "--usage", await bill(...rows), "--provider", "models");

  test("is content where the bill holds what the log holds, and says what cannot be known", async () => {
    expect(await reconcile("sim-1,2,100,20")).toMatchObject({ exit: 0, text: expect.stringContaining("1 logged call has no token counts") });
    expect(await reconcile("sim-1,2,180,90")).toMatchObject({ exit: 0, text: expect.stringContaining("cannot be known") });
  });

  test("fails on a call that was billed and that the log does not know, and names day and model", async () => {
    expect(await reconcile("sim-1,3,100,20")).toMatchObject({ exit: 1, text: expect.stringMatching(new RegExp(`${today} +sim-1 +3 / 2 .*BILLED, NOT IN THE LOG`, "u")) });
    expect(await reconcile("sim-1,2,100,20", "sim-9,1,1,1")).toMatchObject({ exit: 1, text: expect.stringContaining("sim-9") });
    const json = await licet("reconcile", "--usage", await bill("sim-1,3,100,20"), "--json");
    expect([json.exit, (JSON.parse(json.text) as { readonly unlogged: number }).unlogged]).toEqual([1, 1]);
  });

  test("names the line of a bad file, and asks for times in UTC", async () => {
    expect(await reconcile("sim-1,2,100,20", "sim-1,two,1,1")).toMatchObject({ exit: 3, text: expect.stringMatching(/usage_malformed.*line 3/u) });
    expect(await licet("reconcile", "--usage", await bill("sim-1,2,100,20"), "--from", "yesterday")).toMatchObject({ exit: 2, text: expect.stringContaining("UTC") });
    expect(await licet("reconcile", "--usage", file("nowhere"))).toMatchObject({ exit: 3, text: expect.stringContaining("file_unreadable") });
  });
});
