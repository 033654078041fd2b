import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Client } from "@licet/client";
import { install, type Installation } from "./installation.ts";

let installation: Installation;
let client: Client;
beforeAll(async () => {
  installation = await install();
  ({ client } = await installation.person("main", ["platform-engineer"]));
});
afterAll(() => installation.close());

const params = { space: "main" };
const body = { id: "models", baseUrl: "https://models.example/v1", vendor: "Example", region: "eu" } as const;
/** Alone, so that every registration is carried out at once. */
const register = (change: object = {}) => client("registerProvider", { params, body: { ...body, ...change } });
const keys = async () => (await installation.database.read.selectFrom("provider_key").select(["provider", "sealed"]).execute()).map(({ provider, sealed }) => [provider, sealed]);

describe("a provider's key", () => {
  test("stays with the address that it was given for: another address gets no key but a new one", async () => {
    expect((await register({ key: "sk-first" })).done).toBe(true);
    const [first] = await keys();
    expect(first?.[0]).toBe("models");
    await register({ region: "us" });
    expect(await keys()).toEqual([first]);
    await register({ baseUrl: "https://elsewhere.example/v1" });
    expect(await keys()).toEqual([]);
    await register({ baseUrl: "https://elsewhere.example/v2", key: "sk-second" });
    const [second, ...rest] = await keys();
    expect([second?.[0], rest]).toEqual(["models", []]);
    expect(second?.[1]).not.toBe(first?.[1]);
  });

  test("is in no entry, and the request says whether one was given", async () => {
    const { request } = await register({ key: "sk-third" });
    expect(request.detail["keyRef"]).toMatch(/^pending:[0-9a-f]{24}$/u);
    expect((await register({ vendor: "Other" })).request.detail["keyRef"]).toBe("");
    expect(JSON.stringify(installation.entries)).not.toMatch(/sk-(?:first|second|third)/u);
  });
});
