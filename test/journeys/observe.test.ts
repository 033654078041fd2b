import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { again, approve, firstPerson, joinAs, type Person } from "./support/people.ts";
import { buildProduct, examples } from "./support/run.ts";
import { newPlace, startServer, startSimulator, temporaryFolder, type Server, type Simulator } from "./support/server.ts";

/** An existing system, imported and observed before it is enforced, on the command line and against the real process. */
const folder = temporaryFolder();
const chat = join(folder.path, "helpdesk-assistant");
const scoring = join(folder.path, "scoring");
const reason = "runs since spring";

let server: Server;
let simulator: Simulator;
let oip: HttpServer;
let arrived: string[] = [];
let hang = false;
let ops: Person;
let rita: Person;

async function startOip(): Promise<string> {
  oip = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString("utf8")));
    request.on("end", () => {
      if (request.method === "POST") arrived.push(body);
      if (hang && request.method === "POST") return;
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(request.method === "POST" ? { model_name: "credit", outputs: [{ name: "y", shape: [1], datatype: "FP64", data: [0.25] }] } : { name: "credit" }));
    });
  });
  await new Promise<void>((resolve) => void oip.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(oip.address() as AddressInfo).port}/v2`;
}

const requestIn = (text: string): string => /req_\w+/u.exec(text)?.[0] ?? "";

/** What the documentation names, one command after the other, with the risk owner's answer where one is waited for. */
async function imported(dir: string, provider: readonly string[]): Promise<string> {
  const credentialFile = join(dir, "credential");
  const added = await ops.licet("provider", "add", ...provider);
  expect(added.code).toBe(0);
  await approve(rita, { request: requestIn(added.out), role: "risk-owner", comment: "known" });
  expect((await ops.licet("push", "--dir", dir)).code).toBe(0);
  const refused = await ops.licet("deploy", "record", "--dir", dir, "--environment", "local", "--stage", "production");
  expect(`${refused.code} ${refused.err}`).toMatch(/^1 .*ato_not_granted/su);
  const asked = await ops.licet("waiver", "request", "--dir", dir, "--environment", "local", "--days", "14", "--reason", reason);
  expect(asked.out).toContain("waits for the risk owner");
  expect((await approve(rita, { request: requestIn(asked.out), role: "risk-owner", comment: "until the audit" })).status).toBe("granted");
  const deployed = await ops.licet("deploy", "record", "--dir", dir, "--environment", "local", "--stage", "production", "--credential-file", credentialFile);
  expect(deployed.code).toBe(0);
  return readFileSync(credentialFile, "utf8").trim();
}

const post = (credential: string, path: string, body: object): Promise<Response> =>
  fetch(`${server.dataUrl}${path}`, { method: "POST", headers: { authorization: `Bearer ${credential}`, "content-type": "application/json" }, body: JSON.stringify(body) });

/** As the program that existed before: its own prompt, and data that nobody declared. */
const ask = (credential: string): Promise<Response> => post(credential, "/openai/v1/chat/completions", { model: "chat", messages: [{ role: "system", content: "You are our bot." }, { role: "user", content: "I am jo@example.com" }] });
const infer = (credential: string): Promise<Response> => post(credential, "/oip/v2/models/credit/infer", { inputs: [{ name: "x", shape: [1, 2], datatype: "FP64", data: [1, 2] }] });

beforeAll(async () => {
  buildProduct();
  const place = await newPlace(folder.path);
  server = await startServer(place);
  simulator = await startSimulator();
  cpSync(join(examples, "helpdesk-assistant"), chat, { recursive: true });
  cpSync(join(examples, "helpdesk-assistant"), scoring, { recursive: true });
  const manifest = readFileSync(join(chat, "licet.yaml"), "utf8");
  const classical = manifest
    .replace(/components:[\s\S]*?\ndataBoundary:/u, "components:\n  models:\n    - name: credit\n      provider: kserve\n      model: credit\n  services:\n    - name: kserve\n      vendor: ourselves\ndataBoundary:")
    .replace("name: helpdesk-assistant", "name: credit-score");
  writeFileSync(join(scoring, "licet.yaml"), classical);
  const admin = await firstPerson(server, folder.path);
  ops = await joinAs({ server, folder: folder.path, admin, email: "olga.ops@example.com", role: ["developer", "platform-engineer"] });
  rita = await joinAs({ server, folder: folder.path, admin, email: "rita.risk@example.com", role: "risk-owner" });
});

afterAll(async () => {
  await server.signal("SIGTERM");
  await simulator.signal("SIGTERM");
  oip.closeAllConnections();
  oip.close();
  folder.remove();
});

describe("an existing system", () => {
  let credential = "";
  let waiver = "";

  it("runs on after five commands, and every call says what would have refused it", async () => {
    credential = await imported(chat, ["simulator", "--base-url", simulator.baseUrl, "--vendor", "Licet example", "--region", "eu"]);
    await vi.waitFor(async () => expect((await ask(credential)).status).toBe(200), { timeout: 30_000 });
    const response = await ask(credential);
    expect(response.headers.get("x-licet-observed")).toBe("ato_missing, data_outside_boundary, release_mismatch");
    waiver = /wvr_\w+/u.exec((await ops.licet("waiver", "list")).out)?.[0] ?? "";
    await vi.waitFor(async () => expect((await ops.licet("waiver", "show", waiver)).out).toMatch(/would have been refused:[\s\S]*data_outside_boundary[\s\S]*dec_/u), { timeout: 30_000 });
  });

  it("is stopped by a hold all the same", async () => {
    const held = await ops.licet("hold", "place", "--system", "helpdesk-assistant", "--reason", "drill");
    expect(held.code).toBe(0);
    await vi.waitFor(async () => expect((await ask(credential)).status).toBe(403), { timeout: 30_000 });
    const lift = await ops.licet("hold", "lift", /hold_\w+/u.exec(held.out)?.[0] ?? "", "--reason", "over");
    await approve(rita, { request: requestIn(lift.out), role: "risk-owner", comment: "over" });
    await vi.waitFor(async () => expect((await ask(credential)).status).toBe(200), { timeout: 30_000 });
  });

  it("is enforced from the waiver's end on, which is signed as its beginning was", async () => {
    expect((await ops.licet("waiver", "end", waiver, "--reason", "the release is ready")).code).toBe(0);
    await vi.waitFor(async () => expect((await ask(credential)).status).toBe(403), { timeout: 30_000 });
    const { items } = await ops.client("listLog", { params: { space: "main" }, query: { find: "waiver.", limit: 200 } });
    const statements = await Promise.all(items.filter(({ kind }) => kind.startsWith("waiver.")).map(async ({ id }) => (await rita.client("showLogEntry", { params: { space: "main", entry: id } })).body?.["statement"]));
    expect(statements).toHaveLength(2);
    for (const statement of statements) expect(statement).toMatchObject({ payloadType: "application/vnd.in-toto+json", signatures: [{ sig: expect.any(String) }] });
  });
});

describe("a classical model behind the same gateway", () => {
  let credential = "";

  it("scores with the official protocol's calls", async () => {
    credential = await imported(scoring, ["kserve", "--kind", "oip", "--base-url", await startOip(), "--vendor", "ourselves", "--region", "eu"]);
    await vi.waitFor(async () => expect((await infer(credential)).status).toBe(200), { timeout: 30_000 });
    expect(await (await infer(credential)).json()).toMatchObject({ model_name: "credit", outputs: [{ data: [0.25] }] });
  });

  it("has a durable decision for every call that reached it, though the process was killed in between", async () => {
    arrived = [];
    hang = true;
    const calls = Array.from({ length: 20 }, () => infer(credential).catch(() => undefined));
    await vi.waitFor(() => expect(arrived.length).toBeGreaterThan(0), { timeout: 30_000 });
    await server.signal("SIGKILL");
    await Promise.all(calls);
    hang = false;
    const reached = arrived.length;
    server = await startServer(server.place);
    ops = await again(ops, server, folder.path);
    await vi.waitFor(async () => expect((await infer(credential)).status).toBe(200), { timeout: 30_000 });
    const { items } = await ops.client("listDecisions", { params: { space: "main", system: "credit-score" }, query: { limit: 100 } });
    expect(items.filter(({ decision, outcome }) => decision === "allow" && outcome === null).length).toBeGreaterThanOrEqual(reached);
  });
});
