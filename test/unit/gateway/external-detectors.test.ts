import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { externalDetectors, ExternalLines } from "../../../packages/licet/src/gateway/detect/external.ts";
import { Placeholders } from "../../../packages/licet/src/gateway/detect/placeholders.ts";
import { detectionOf } from "../../../packages/licet/src/gateway/detect/rules.ts";
import { scanCall } from "../../../packages/licet/src/gateway/detect/scan-call.ts";

const servers: Server[] = [];
const lines = new ExternalLines();
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve)))));
});
afterAll(() => lines.close());

/** A detector that answers so; `undefined` never answers. */
async function detector(answer: ((body: string) => { readonly status?: number; readonly body: string }) | undefined): Promise<string> {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const said = answer?.(body);
      if (said !== undefined) response.writeHead(said.status ?? 200).end(said.body);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/find`;
}

const declared = (url: string) => ({ name: "lab", url, classes: { diagnosis: "special" as const }, timeoutMs: 5000, allow: ["loopback"] });
const ask = (url: string, timeoutMs = 5000) => lines.ask({ external: externalDetectors([{ ...declared(url), timeoutMs }]), on: "request", texts: ["a flu", "fine"] });

describe("an external detector", () => {
  test("is asked about every text, and what it finds is treated like any other finding", async () => {
    let asked: unknown;
    const url = await detector((body) => {
      asked = JSON.parse(body);
      return { body: JSON.stringify({ findings: [{ text: 0, type: "diagnosis", start: 2, end: 5 }] }) };
    });
    const answer = await ask(url);
    expect([asked, answer]).toEqual([{ v: 1, texts: ["a flu", "fine"] }, { kind: "found", matches: [[{ type: "diagnosis", start: 2, end: 5 }], []] }]);
    const rules = detectionOf([{ pack: "lab", section: { external: [declared(url)], actions: [{ of: "diagnosis", action: "mask" }] } }]).rules("any");
    const more = answer.kind === "found" ? answer.matches : [];
    const { edits, findings } = scanCall({ rules, boundary: ["special"], texts: [{ text: "a flu", fixed: false }, { text: "fine", fixed: false }], placeholders: new Placeholders(), more });
    expect([edits[0], findings]).toEqual([[{ start: 2, end: 5, replacement: "[diagnosis]" }], [{ type: "diagnosis", dataClass: "special", count: 1, action: "mask" }]]);
  });

  test.each([
    ["answers with an error", () => ({ status: 500, body: "{}" })],
    ["answers with no JSON", () => ({ body: "<html>" })],
    ["answers in another form", () => ({ body: '{"findings":[{"text":0}]}' })],
    ["names a type that it did not declare", () => ({ body: '{"findings":[{"text":0,"type":"other","start":0,"end":1}]}' })],
    ["names a place that is not there", () => ({ body: '{"findings":[{"text":0,"type":"diagnosis","start":0,"end":99}]}' })],
    ["never answers", undefined],
  ])("that %s is unavailable, and nothing passes", async (_, answer) => {
    expect(await ask(await detector(answer), answer === undefined ? 200 : 5000)).toMatchObject({ kind: "unavailable", detector: "lab" });
  });

  test("that is not there is unavailable", async () => {
    const url = await detector(undefined);
    await new Promise((resolve) => servers.splice(0)[0]?.close(resolve));
    expect(await ask(url)).toMatchObject({ kind: "unavailable" });
  });

  test("may not stand at an address that nobody allowed", async () => {
    const url = await detector(() => ({ body: '{"findings":[]}' }));
    const external = externalDetectors([{ ...declared(url.replace("127.0.0.1", "169.254.169.254")), allow: [] }]);
    expect(await lines.ask({ external, on: "request", texts: ["x"] })).toMatchObject({ kind: "unavailable" });
  });
});
