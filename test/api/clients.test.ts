import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { commonChecks, furtherChecks, type Check } from "./client-checks.ts";
import { startGatewayPlace, type GatewayPlace } from "./gateway-place.ts";

let place: GatewayPlace;

beforeAll(async () => {
  place = await startGatewayPlace();
});

afterAll(() => place[Symbol.asyncDispose]());

beforeEach(() => {
  place.provider.behaviour = {};
});

/** What the client sees on both ways. */
async function seen(check: Check) {
  const direct = await check(place.direct);
  place.provider.behaviour = {};
  return { direct, through: await check(place.through) };
}

describe("the checks of the bench see through the gateway what they see without it", () => {
  test("they are 22", () => {
    expect(Object.keys(commonChecks)).toHaveLength(22);
  });

  test.each(Object.entries(commonChecks))("%s", async (_, check) => {
    const { direct, through } = await seen(check);
    expect(through).toEqual(direct);
  });
});

describe("what else the official clients do is the same through the gateway", () => {
  test.each(Object.entries(furtherChecks))("%s", async (_, check) => {
    const { direct, through } = await seen(check);
    expect(through).toEqual(direct);
  });
});
