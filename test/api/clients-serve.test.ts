import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { firstPerson } from "../journeys/support/people.ts";
import { buildProduct, examples } from "../journeys/support/run.ts";
import { newPlace, startServer, temporaryFolder, type Server } from "../journeys/support/server.ts";
import { commonChecks } from "./client-checks.ts";
import { clock, placeAt, weather, type Place } from "./gateway-place.ts";
import { startProvider, type ProviderSimulator } from "./provider-simulator.ts";

/** The product as people run it: `licet serve` in a process of its own, a manifest that was pushed, a credential that was issued. */
const temporary = temporaryFolder();
let provider: ProviderSimulator;
let server: Server;
let direct: Place;
let through: Place;

/** The example, with the models and tools of the clients' checks. */
function writeManifest(folder: string): void {
  mkdirSync(folder);
  const manifest: Record<string, unknown> = parse(readFileSync(join(examples, "helpdesk-assistant/licet.yaml"), "utf8"));
  const model = (name: string, of: string) => ({ name, provider: of, model: name });
  const tools = [weather, clock].map(({ name, description, parameters }) => ({ name, description, power: "read", schema: parameters }));
  const components = { models: [model("gpt-sim", "openai"), model("emb", "openai"), model("claude-sim", "anthropic")], tools, services: ["openai", "anthropic"].map((name) => ({ name, vendor: "test" })) };
  writeFileSync(join(folder, "licet.yaml"), JSON.stringify({ ...manifest, name: "clients", components }));
}

/** One person alone, who takes the roles and makes every step that the documentation names. */
async function credentialOf(folder: string): Promise<string> {
  const me = await firstPerson(server, temporary.path);
  const params = { space: "main" };
  const { person } = await me.client("showSession");
  for (const role of ["developer", "platform-engineer"] as const) await me.client("grantRole", { params: { ...params, person: person?.id ?? "" }, body: { role } });
  for (const kind of ["openai", "anthropic"] as const) await me.client("registerProvider", { params, body: { id: kind, kind, baseUrl: `${provider.origin}/v1`, vendor: "test", region: "eu", allowPrivate: false } });
  const file = join(folder, "credential");
  for (const command of [["push"], ["promote", "--to", "pilot"], ["deploy", "record", "--environment", "local", "--stage", "pilot", "--credential-file", file]]) {
    const ran = await me.licet(...command, "--dir", folder);
    expect([ran.err, ran.code]).toEqual(["", 0]);
  }
  return readFileSync(file, "utf8").trim();
}

beforeAll(async () => {
  buildProduct();
  const folder = join(temporary.path, "system");
  writeManifest(folder);
  [provider, server] = await Promise.all([startProvider(), newPlace(temporary.path).then((place) => startServer(place))]);
  const key = await credentialOf(folder);
  direct = placeAt({ openai: `${provider.origin}/v1`, anthropic: provider.origin, key: "sk-provider-key" }, provider);
  through = placeAt({ openai: `${server.dataUrl}/openai/v1`, anthropic: `${server.dataUrl}/anthropic`, key }, provider);
  await vi.waitUntil(async () => (await fetch(`${server.dataUrl}/openai/v1/models`, { headers: { authorization: `Bearer ${key}` } })).ok, { timeout: 30_000 });
});

afterAll(async () => {
  await server.signal("SIGTERM");
  await provider[Symbol.asyncDispose]();
  temporary.remove();
});

beforeEach(() => {
  provider.behaviour = {};
});

describe("the official clients at a running `licet serve` see what they see without it", () => {
  test.each(Object.entries(commonChecks))("%s", async (_, check) => {
    const seen = await check(direct);
    provider.behaviour = {};
    expect(await check(through)).toEqual(seen);
  });
});
