import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdtemp, rm, symlink } from "node:fs/promises";
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toolDigest } from "../../packages/licet/src/inventory/release.ts";
import { clientsRelease, gatewayKey, startGatewayPlace, type GatewayPlace } from "./gateway-place.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const script = join(root, "../shared/gateway/bench/clients-test/llm-clients.mjs");

let place: GatewayPlace;
let folder: string;

beforeAll(async () => {
  place = await startGatewayPlace();
  folder = await mkdtemp(join(tmpdir(), "licet-clients-"));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
});

afterAll(async () => {
  await place[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const schema = { type: "object", properties: { city: { type: "string" } } };

/** The script declares one tool in two ways; a release knows a name once. */
function releaseFor(path: string) {
  const tool = path.endsWith("/messages") ? { name: "weather", description: "", parameters: { type: "object" } } : { name: "weather", description: "w", parameters: schema };
  return clientsRelease({ tools: [{ name: "weather", digest: toolDigest(tool), power: "read" }] });
}

/**
 * The script speaks to one address with one key, and tells the provider by headers how to fail. Headers of the caller do
 * not go through the gateway, so this tells the provider; the rest of the request goes to the gateway as it came.
 */
async function startEntrance(): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer((incoming, response) => enter(incoming, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function enter(incoming: IncomingMessage, response: ServerResponse): void {
  const path = incoming.url ?? "";
  const fail = String(incoming.headers["x-sim-fail"] ?? "");
  place.stand(releaseFor(path));
  place.provider.behaviour = { ...(/^\d+$/u.test(fail) && { status: Number(fail) }), ...(fail === "midstream" && { cut: "reset" as const }), intervalMs: Number(incoming.headers["x-sim-interval"] ?? 0) };
  const anthropic = path.startsWith("/v1/messages");
  const { authorization: _, "x-api-key": __, host: ___, ...headers } = incoming.headers;
  const key = anthropic ? { "x-api-key": gatewayKey } : { authorization: `Bearer ${gatewayKey}` };
  const outgoing = ask(`${place.governed.origin}${anthropic ? "/anthropic" : "/openai"}${path}`, { method: incoming.method ?? "GET", headers: { ...headers, ...key } }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.on("error", () => response.destroy());
    answer.pipe(response);
  });
  outgoing.on("error", () => response.destroy());
  response.on("close", () => outgoing.destroy());
  incoming.pipe(outgoing);
}

describe.skipIf(!existsSync(script))("the shared clients' script, where ../shared is on this machine", () => {
  test("sees through the gateway all that it sees without it", async () => {
    const copy = join(folder, "llm-clients.mjs");
    await copyFile(script, copy);
    await using entrance = await startEntrance();
    const env = { ...process.env, BASE: entrance.url, NODE_OPTIONS: "", AI_SDK_LOG_WARNINGS: "false" };
    const { stdout } = await promisify(execFile)(process.execPath, [copy], { env }).catch((error: { stdout: string }) => error);
    expect(stdout).toMatch(/^22 ok, 0 failed/mu);
    expect(stdout).not.toContain("FAIL");
  });
});
