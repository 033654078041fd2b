import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { main } from "../../examples/tumour-classifier/predict.ts";

const example = path.resolve(import.meta.dirname, "../../examples/tumour-classifier");
const input = path.join(example, "data/test.csv");
const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
});

interface Seen { readonly url: string; readonly authorization: string | undefined; readonly body: unknown }

async function serve(answer: (response: ServerResponse, call: number) => void): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    void readAll(request).then((body) => {
      seen.push({ url: `${request.method} ${request.url}`, authorization: request.headers.authorization, body: JSON.parse(body) });
      answer(response, seen.length);
    });
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

async function readAll(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}

const json = (status: number, body: unknown) => (response: ServerResponse) => {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
};

async function predict(url: string): Promise<{ code: number; printed: string; output: string }> {
  const output = path.join(mkdtempSync(path.join(tmpdir(), "licet-predict-")), "predictions.csv");
  const printed: string[] = [];
  const code = await main([input, output], { LICET_DATA_URL: url, LICET_CREDENTIAL: "secret-of-this-test" }, (line) => printed.push(line));
  return { code, printed: printed.join("\n"), output };
}

describe("an allowed workload", () => {
  test("scores every row, having asked before each batch with the digest of the model it loaded", async () => {
    const { url, seen } = await serve(json(200, { decision: true, context: { id: "dec_1" } }));
    const { code, printed, output } = await predict(url);
    expect(code).toBe(0);
    expect(printed).toContain("228 rows: 148 proposed benign, 80 proposed malignant");
    const lines = readFileSync(output, "utf8").trim().split("\n");
    expect(lines).toHaveLength(229);
    expect(lines[1]).toMatch(/^1,0\.99578/u);
    const digest = `sha256:${createHash("sha256").update(readFileSync(path.join(example, "model/tumour.onnx"))).digest("hex")}`;
    expect(seen).toHaveLength(3);
    expect(seen[0]).toEqual({
      url: "POST /access/v1/evaluation",
      authorization: "Bearer secret-of-this-test",
      body: {
        subject: { type: "workload", id: "tumour-classifier" },
        action: { name: "score" },
        resource: { type: "model", id: "tumour-gbm", properties: { digest } },
      },
    });
  });
});

describe("anything but a clear yes writes nothing and exits with 1", () => {
  const denial = { decision: false, context: { id: "dec_7", code: "held", message: "a hold stops this system", remedy: "ask the holder to lift it" } };

  test("a no, with reason, decision and remedy on the screen and the credential nowhere", async () => {
    const { url } = await serve(json(200, denial));
    const { code, printed, output } = await predict(url);
    expect([code, existsSync(output)]).toEqual([1, false]);
    expect(printed).toContain("held: a hold stops this system");
    expect(printed).toContain("decision: dec_7");
    expect(printed).toContain("remedy: ask the holder to lift it");
    expect(printed).not.toContain("secret-of-this-test");
  });

  test("a no in the middle of the work", async () => {
    const { url, seen } = await serve((response, call) => json(200, call < 2 ? { decision: true } : denial)(response));
    const { code, printed, output } = await predict(url);
    expect([code, existsSync(output), seen.length]).toEqual([1, false, 2]);
    expect(printed).toContain("refused to score from row 101");
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ["a yes under another status", json(403, { decision: true })],
    ["a yes under 201", json(201, { decision: true })],
    ["a word instead of true", json(200, { decision: "true" })],
    ["a number instead of true", json(200, { decision: 1 })],
    ["a list", json(200, [{ decision: true }])],
    ["null", json(200, null)],
    ["an error of the data plane", json(401, { error: { code: "credential_unknown", message: "no such credential", remedy: "take the deployment's" } })],
    ["no JSON", (response) => void response.end("decision: true")],
    ["an empty answer", (response) => void response.end()],
    ["a cut connection", (response) => void response.destroy()],
    ["a redirect", (response) => void response.writeHead(307, { location: "/elsewhere" }).end()],
  ])("%s", async (_, answer) => {
    const { url } = await serve(answer);
    const { code, printed, output } = await predict(url);
    expect([code, existsSync(output)]).toEqual([1, false]);
    expect(printed).toMatch(/refused to score from row 1: .+\ndecision: .+\nremedy: .+/u);
  });

  test("no server at all", async () => {
    const { url } = await serve(json(200, { decision: true }));
    const gone = servers.splice(0);
    for (const server of gone) await new Promise((done) => server.close(done));
    expect((await predict(url)).code).toBe(1);
  });

  test("a credential that cannot be sent is not printed", async () => {
    const printed: string[] = [];
    const env = { LICET_DATA_URL: "http://127.0.0.1:1", LICET_CREDENTIAL: "broken\nsecret" };
    expect(await main([input, "unused.csv"], env, (line) => printed.push(line))).toBe(1);
    expect(printed.join()).not.toContain("secret");
  });

  test("no credential", async () => {
    expect(await main([input, "unused.csv"], { LICET_DATA_URL: "http://127.0.0.1:1" }, () => undefined)).toBe(2);
  });
});
