import type { CiDetail, RouteAnswer } from "@licet/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ciRegistrationsOf } from "../assurance/store.ts";
import { cookies, fresh, helpdesk, openWorld, type Caller, type World } from "./world-fixture.ts";

const detail: CiDetail = {
  kind: "github",
  issuer: "https://token.actions.githubusercontent.com",
  audience: "https://licet.example.org",
  names: { repository: "repository", ref: "ref", workflow: "workflow_ref", commit: "sha", run: "run_id" },
  claims: [{ claim: "repository", value: "octo/app" }, { claim: "ref", value: "refs/heads/main" }, { claim: "workflow_ref", value: "octo/app/x.yml@*" }],
  allowPrivate: false,
};

let world: World;
let tom: Caller;
beforeEach(async () => {
  world = await openWorld();
  // The technical owner of the helpdesk, who also pushes it.
  tom = await world.person("t", ["developer", "security-engineer"]);
  await world.push(helpdesk, tom.personId);
});
afterEach(() => world.close());

const ask = (by: Caller): Promise<string> => world.oversight.ask({ space: "main", move: "register-ci", system: "helpdesk", detail, by: by.personId });
const inForce = async (): Promise<number> => (await ciRegistrationsOf(world.installation.database.read, "main", "helpdesk")).length;
const approve = (request: string, by: Caller): Promise<RouteAnswer<"showRequest">> =>
  world.routes.giveApproval({ params: { space: "main", request }, body: { role: "security-engineer", answer: "approve", comment: "" } }, fresh(world, by), cookies);
const code = async (work: Promise<unknown>): Promise<unknown> => work.then(() => "nothing was thrown", (error: unknown) => (error instanceof Error && "code" in error ? error.code : error));

describe("letting a CI in", () => {
  test("takes one person while the space has one, and the record says `sole operator`", async () => {
    await ask(tom);
    expect(await ciRegistrationsOf(world.installation.database.read, "main", "helpdesk")).toMatchObject([{ outcome: "sole operator", registered_by: tom.personId }]);
  });

  test("waits as soon as there is somebody else, whatever roles they hold", async () => {
    await world.person("nora", []);
    await ask(tom);
    expect(await inForce()).toBe(0);
  });

  test("is approved neither by the technical owner who pushed, nor by whoever has the role from who asks, but by another person", async () => {
    const olga = await world.person("olga", ["platform-engineer"]);
    const given = await world.person("given", ["security-engineer"], { by: olga.personId, early: false });
    const sec = await world.person("sec", ["security-engineer"]);
    const request = await ask(olga);
    world.clock.advance(25 * 3_600_000);
    expect(await code(approve(request, tom))).toBe("approval_not_yours");
    expect(await code(approve(request, given))).toBe("approval_not_yours");
    expect(await inForce()).toBe(0);
    expect(await approve(request, sec)).toMatchObject({ status: "granted" });
    expect(await inForce()).toBe(1);
  });

  test("is given back where the same registration came into force meanwhile", async () => {
    const olga = await world.person("olga", ["platform-engineer"]);
    const sec = await world.person("sec", ["security-engineer"]);
    const [first, second] = [await ask(olga), await ask(olga)];
    await approve(first, sec);
    expect(await approve(second, sec)).toMatchObject({ status: "returned", detail: { outcome: expect.stringContaining("the same issuer") } });
    expect(await inForce()).toBe(1);
    expect(world.failures).toEqual([]);
  });
});
