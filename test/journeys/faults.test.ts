import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createClient } from "@licet/client";
import { ask, decisionOn, request, untilAnswered, type Asked } from "./support/asking.ts";
import { buildProduct, licet, verifier } from "./support/run.ts";
import { newPlace, startServer, startSimulator, temporaryFolder, type Place, type Server, type Simulator } from "./support/server.ts";
import { allDecisions, smallCast, workingCopy, type SmallCast } from "./support/story.ts";
import { verify } from "./support/story-prove.ts";

const system = "helpdesk-assistant";
const space = "main";
const temporary = temporaryFolder();
const root = temporary.path;
let simulator: Simulator;

beforeAll(async () => {
  buildProduct();
  simulator = await startSimulator();
});

afterAll(async () => {
  temporary.remove();
  await simulator.signal("SIGTERM");
});

function decisionOf(asked: Asked): string {
  return asked.kind === "answered" ? asked.answer.decision : asked.refused.decision;
}

/** Short ones, drawn anew each time: the kill should hit every step. */
function pause(millisecondsMax: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * millisecondsMax));
}

describe("one record through kills, a restore and bad input", () => {
  const killed = 20;
  const acknowledgedMin = 4;
  const folder = join(root, "killed");
  let place: Place;
  let server: Server;
  let cast: SmallCast;
  let copy = "";
  let credential = "";

  beforeAll(async () => {
    mkdirSync(folder);
    place = await newPlace(folder);
    server = await startServer(place);
    cast = await smallCast(server, folder, simulator);
    copy = workingCopy(folder, system);
  });

  afterAll(async () => {
    await server.signal("SIGTERM");
  });

  it("kill -9 in the middle of a command: repeated, every command converges on the same state", async () => {
    const file = join(folder, "credential");
    const commands = [["push"], ["promote", "--to", "experiment"], ["promote", "--to", "pilot"], ["deploy", "record", "--environment", "local", "--stage", "pilot", "--credential-file", file]];
    for (const command of commands) {
      const running = cast.team.licet(...command, "--dir", copy);
      // A command needs a moment to start; the kill falls before, while or after the server does its work.
      await pause(900);
      await server.signal("SIGKILL");
      await running;
      server = await startServer(place);
      const again = await cast.team.licet(...command, "--dir", copy);
      expect({ command, ...again }).toMatchObject({ command, code: 0, err: "" });
    }
    credential = readFileSync(file, "utf8").trim();
    const detail = await cast.team.client("showSystem", { params: { space, system } });
    expect(detail.releases).toHaveLength(1);
    expect(detail.system).toMatchObject({ stage: "pilot", tier: "minimal" });
    expect(new Set(detail.atos.filter((ato) => ato.state === "granted").map((ato) => ato.stage)).has("pilot")).toBe(true);
    await untilAnswered({ dataUrl: server.dataUrl, credential, folder: copy });
  });

  it("kill -9 twenty times under calls: no acknowledged decision is lost, none is missing for what the provider received", async () => {
    const acknowledged = new Set<string>();
    const reached = new Set<string>();
    /** Callers on other surfaces, some of them streaming. */
    const others = [undefined, undefined, undefined, "stream", undefined, "stream", "responses", "messages"] as const;
    for (let round = 0; round < killed; round++) {
      const calling = { over: false };
      const asking = { dataUrl: server.dataUrl, credential, folder: copy };
      const callers = Array.from({ length: 8 }, async (_, caller) => {
        while (!calling.over) {
          const surface = others[caller];
          const question = caller % 4 === 0 ? "mail me at someone@example.com" : `printer ${round}`;
          const decision = await (surface === undefined ? ask({ ...asking, question }).then(decisionOf) : decisionOn(surface, { ...asking, question })).catch(() => undefined);
          if (decision === undefined) return;
          if (decision !== "") {
            acknowledged.add(decision);
            if (surface !== undefined) reached.add(surface);
          }
        }
      });
      // A round counts when something was acknowledged in it, however slow the machine is.
      const before = acknowledged.size;
      await vi.waitUntil(() => acknowledged.size >= before + acknowledgedMin, { timeout: 10_000, interval: 5 });
      await pause(150);
      const ended = server.signal("SIGKILL");
      calling.over = true;
      await Promise.all(callers);
      expect(await ended).toMatchObject({ signal: "SIGKILL" });
      server = await startServer(place);
    }
    expect(acknowledged.size).toBeGreaterThanOrEqual(killed * acknowledgedMin);
    expect([...reached].toSorted()).toEqual(["messages", "responses", "stream"]);
    const decisions = await allDecisions(cast);
    const known = new Set(decisions.map((decision) => decision.id));
    for (const id of [...acknowledged].filter((each) => !known.has(each))) {
      // What a machine too busy for its own lease refuses is nobody's call: it stands in the record without a system.
      expect((await cast.team.client("showDecision", { params: { space, decision: id } })).decision).toMatchObject({ id, decision: "deny", code: "snapshot_stale" });
    }
    const allowed = decisions.filter((decision) => decision.decision === "allow").length;
    expect(await simulator.requests()).toBeLessThanOrEqual(allowed);
    expect(await simulator.requests()).toBeGreaterThan(killed);
    expect(decisions.filter((decision) => decision.code === "data_outside_boundary").length).toBeGreaterThan(0);
  }, 600_000);

  it("afterwards the record tables rebuild from the log to the same state, and the export verifies", async () => {
    const before = await cast.team.client("showSystem", { params: { space, system } });
    expect(await server.signal("SIGTERM")).toMatchObject({ code: 0 });
    const rebuilt = await licet(["db", "rebuild", "--dir", place.dir, "--keys", place.keys]);
    expect(rebuilt).toMatchObject({ code: 0, out: expect.stringContaining("rebuilt the record tables") });
    server = await startServer(place);
    expect(await cast.team.client("showSystem", { params: { space, system } })).toEqual(before);
    const away = join(folder, "away");
    mkdirSync(away);
    copyFileSync(verifier, join(away, "licet-verify.mjs"));
    expect(await cast.team.licet("trust", "export", "--out", join(away, "trust.json"))).toMatchObject({ code: 0 });
    expect(await cast.team.licet("audit", "export", "--out", join(away, "pack"))).toMatchObject({ code: 0 });
    const verified = await verify(join(away, "licet-verify.mjs"), join(away, "pack"), "--trust", join(away, "trust.json"));
    expect(verified.out.split("\n").filter((line) => line.startsWith("FAIL"))).toEqual([]);
    expect(verified.code).toBe(0);
  });

  it("a backup restores to the same record, and a log that has gone on is never continued from it", async () => {
    expect(await server.signal("SIGTERM")).toMatchObject({ code: 0 });
    const backup = join(folder, "backup");
    expect(await licet(["backup", "--dir", place.dir, "--keys", place.keys, "--out", backup])).toMatchObject({ code: 0 });
    expect(existsSync(join(backup, "keys"))).toBe(false);
    const restored = join(folder, "restored");
    expect(await licet(["restore", "--dir", restored, "--keys", place.keys, "--from", backup])).toMatchObject({ code: 0 });
    server = await startServer({ ...place, dir: restored });
    expect((await cast.team.client("listSystems", { params: { space }, query: {} })).items).toMatchObject([{ name: system, stage: "pilot" }]);
    await ask({ dataUrl: server.dataUrl, credential, folder: copy });
    expect(await server.signal("SIGTERM")).toMatchObject({ code: 0 });
    const late = join(folder, "late");
    expect(await licet(["restore", "--dir", late, "--keys", place.keys, "--from", backup])).toMatchObject({ code: 0, out: expect.stringMatching(/new shard 2-[0-9a-f]{8}[\s\S]*discarded: [1-9]/u) });
    for (const older of [restored, place.dir, backup]) {
      expect(await licet(["db", "rebuild", "--dir", older, "--keys", place.keys])).toMatchObject({ code: 3, err: expect.stringMatching(/error\[log_rolled_back\][\s\S]*licet restore/u) });
    }
    expect(await licet(["log", "fsck", "--dir", late, "--keys", place.keys])).toMatchObject({ code: 0, out: expect.stringContaining("in 2 shards") });
    server = await startServer({ ...place, dir: late });
    const { shards } = (await (await fetch(`${server.dataUrl}/log/shards.json`)).json()) as { shards: readonly { path: string; origin: string }[] };
    expect(shards).toHaveLength(2);
    for (const { path, origin } of shards) expect((await (await fetch(`${server.dataUrl}/log/${path}checkpoint`)).text()).split("\n")[0]).toBe(origin);
    await untilAnswered({ dataUrl: server.dataUrl, credential, folder: copy });
  });

  describe("bad input against the running product", () => {
    interface Answer {
      readonly status: number;
      readonly code: string;
    }

    async function post(body: BodyInit, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
      const response = await fetch(`${server.dataUrl}/openai/v1/chat/completions`, { method: "POST", body, headers: { authorization: `Bearer ${credential}`, "content-type": "application/json", ...headers } });
      expect(response.headers.get("content-type")).toContain("application/json");
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      const { error } = (await response.json()) as { error: { code: string; message: string; licet: { policy: string; remedy: string } } };
      expect(error.message).not.toMatch(/\bat \S+:\d+|node_modules/u);
      expect(error.licet).toMatchObject({ policy: expect.stringMatching(/./u), remedy: expect.stringMatching(/./u) });
      return { status: response.status, code: error.code };
    }

    it("a body over the limit, of a wrong type, with an unknown field or cut short is refused with a code, and nothing reaches the provider", async () => {
      const before = await simulator.requests();
      const good = request({ folder: copy });
      const bodies: readonly [string, BodyInit, string][] = [
        ["eleven megabytes", JSON.stringify({ ...good, messages: [...good.messages, { role: "user", content: "x".repeat(11 * 1024 * 1024) }] }), "body_too_large"],
        ["no JSON", "{", "request_unreadable"],
        ["an array", "[]", "request_unreadable"],
        ["nothing", "", "request_unreadable"],
        ["not UTF-8", new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), "request_unreadable"],
        ["messages as a string", JSON.stringify({ ...good, messages: "hello" }), "request_unreadable"],
        ["a number as model", JSON.stringify({ ...good, model: 5 }), "request_unreadable"],
        ["an unknown field", JSON.stringify({ ...good, surprise: {} }), "field_unsupported"],
        ["a hundred levels", JSON.stringify({ ...good, tools: JSON.parse(`${'{"a":'.repeat(100)}1${"}".repeat(100)}`) as unknown }), "request_unreadable"],
      ];
      const codes = [];
      for (const [name, body, code] of bodies) codes.push({ name, expected: code, ...(await post(body)) });
      expect(codes.map(({ name, code }) => [name, code])).toEqual(bodies.map(([name, , code]) => [name, code]));
      expect(codes.every(({ status }) => status >= 400 && status < 500)).toBe(true);
      expect(await simulator.requests()).toBe(before);
    });

    it("other endpoints and methods are no way around", async () => {
      for (const [method, path] of [["POST", "/openai/v1/images/generations"], ["GET", "/openai/v1/chat/completions"], ["POST", "/openai/v1/../v1/moderations"], ["GET", "/"]] as const) {
        const response = await fetch(`${server.dataUrl}${path}`, { method, headers: { authorization: `Bearer ${credential}` } });
        expect(response.status).toBe(404);
      }
    });

    it("the console's API answers wrong bodies with problem+json and a code", async () => {
      const url = `${server.url}/api/spaces/main/holds`;
      const token = await createClient({ baseUrl: server.url }).signIn(cast.risk.email, cast.risk.password);
      const session = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      for (const [body, status] of [["{", 422], ["[]", 422], [JSON.stringify({ scope: "system", reason: 5 }), 422], [JSON.stringify({ scope: "all", reason: "x", more: 1 }), 422], [JSON.stringify({ scope: "all", reason: "x".repeat(2 * 1024 * 1024) }), 413]] as const) {
        const response = await fetch(url, { method: "POST", body, headers: session });
        expect(response.headers.get("content-type")).toContain("application/problem+json");
        expect([body.slice(0, 40), response.status]).toEqual([body.slice(0, 40), status]);
        expect(await response.json()).toMatchObject({ code: expect.stringMatching(/^[a-z_]+$/u) });
      }
      expect((await cast.team.client("listHolds", { params: { space }, query: {} })).items).toEqual([]);
    });

    it("hostile manifests are refused in bounded time with a code", async () => {
      const text = readFileSync(join(copy, "licet.yaml"), "utf8");
      const cases: readonly [string, string | Uint8Array][] = [
        ["a megabyte", `${text}# ${"x".repeat(1024 * 1024)}\n`],
        ["an alias bomb", `a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 12 }, (_, at) => `a${at + 1}: &a${at + 1} [${Array.from({ length: 10 }, () => `*a${at}`).join(",")}]`).join("\n")}\n`],
        ["a duplicate key", `${text}\nname: another\n`],
        ["not UTF-8", new Uint8Array([0xff, 0xfe, 0x00, 0x41])],
        ["ten thousand components", text.replace("  services:", `  tools:\n${Array.from({ length: 10_000 }, (_, at) => `    - { name: t${at}, description: x, power: read, schema: { type: object } }`).join("\n")}\n  services:`)],
      ];
      const refused: object[] = [];
      for (const [name, content] of cases) {
        const file = join(folder, `${name.replaceAll(" ", "-")}.yaml`);
        writeFileSync(file, content);
        const ran = await licet(["validate", file], { timeoutMs: 20_000 });
        refused.push({ name, refused: [1, 3].includes(ran.code ?? 0), coded: /error\[\w+\]/u.test(`${ran.out}${ran.err}`), quick: ran.milliseconds < 10_000 });
      }
      expect(refused).toEqual(cases.map(([name]) => ({ name, refused: true, coded: true, quick: true })));
    });
  });
});
