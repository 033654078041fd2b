import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { giveAnswer } from "../risk/answer.ts";
import { cookies, fresh, helpdesk, openWorld, type Caller, type World } from "./world-fixture.ts";
import { exampleBundle } from "../inventory/example-manifest.ts";
import type { Manifest } from "@licet/contract";

let world: World;
let dev: Caller;
let owner: Caller;
beforeEach(async () => {
  world = await openWorld();
  dev = await world.person("dev", ["developer"]);
  owner = await world.person("r", ["risk-owner"]);
});
afterEach(() => world.close());

/** A safety component of a regulated product, so high tier, unless it is only non-safety assistance: a judgement. */
function assisting(change: Partial<Manifest> = {}) {
  const { manifest } = helpdesk;
  const annexI = { regulatedProduct: true, thirdPartyAssessment: true, onlyAssistance: true };
  return exampleBundle({ ...manifest, risk: { ...manifest.risk, eu: { ...manifest.risk?.eu, annexI } }, ...change });
}

const answer = (by: Caller, value: "yes" | "no" = "yes") => {
  const { recorder, database } = world.installation;
  return giveAnswer({ recorder, read: database.read, signStatement: (statement) => ({ ...world.keys.signStatement(statement), signatures: world.keys.signStatement(statement).signatures.map((each) => ({ ...each })) }) }, { space: "main", system: "helpdesk", question: "A3", value, reason: "it only sorts the menu", caller: fresh(world, by) });
};
const tier = async () => (await world.routes.askGate({ params: { space: "main", system: "helpdesk" }, query: { to: "pilot" } }, dev, cookies)).answer.tier;
const code = async (work: Promise<unknown>): Promise<unknown> => work.then(() => "nothing was thrown", (error: unknown) => (error instanceof Error && "code" in error ? error.code : error));

describe("an answer that lowers the tier", () => {
  test("counts once the declared risk owner has signed it, and not before", async () => {
    await world.push(assisting(), dev.personId);
    expect(await tier()).toBe("high");
    expect((await answer(owner)).tier).toBe("minimal");
    expect(await tier()).toBe("minimal");
  });

  test("is not for the one who pushed the release, nor for its technical owner, whomever the manifest names as risk owner", async () => {
    const both = await world.person("both", ["developer", "risk-owner"]);
    await world.push(assisting({ owners: { ...helpdesk.manifest.owners, risk: both.email } }), both.personId);
    expect(await code(answer(both))).toBe("answer_by_author");
    await world.push(assisting({ owners: { ...helpdesk.manifest.owners, technical: both.email, risk: both.email } }), dev.personId);
    expect(await code(answer(both))).toBe("answer_by_author");
    expect(await tier()).toBe("high");
  });

  test("lapses when somebody else becomes risk owner, or the answerer technical owner", async () => {
    await world.push(assisting(), dev.personId);
    await answer(owner);
    await world.push(assisting({ owners: { ...helpdesk.manifest.owners, risk: "other@example.com" } }), dev.personId);
    expect(await tier()).toBe("high");
    await world.push(assisting({ owners: { ...helpdesk.manifest.owners, technical: owner.email } }), dev.personId);
    expect(await tier()).toBe("high");
  });

  test("lapses with what it was about, and outlives a change of anything else", async () => {
    await world.push(assisting(), dev.personId);
    await answer(owner);
    const [prompt] = helpdesk.manifest.components.prompts ?? [];
    await world.push(assisting({ components: { ...helpdesk.manifest.components, prompts: [{ name: "system", role: "system", ...prompt, text: "Other words." }] } }), dev.personId);
    expect(await tier()).toBe("minimal");
    await world.push(assisting({ purpose: "Decide when the brakes are used." }), dev.personId);
    expect(await tier()).toBe("high");
    await answer(owner, "no");
    expect(await tier()).toBe("high");
  });
});
