import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { deployment, messages, startGoverned, type Governed } from "../../../../test/unit/support/governed.ts";
import { startUpstream, type Upstream } from "../../../../test/unit/support/upstream.ts";
import { cookies, helpdesk, openWorld, type Caller, type World } from "../ato/world-fixture.ts";
import type { CedarCall } from "./decide.ts";
import type { HoldView } from "./snapshot.ts";
import { StandingViews } from "./standing-views.ts";
import { standingRows } from "./store.ts";

const hold: HoldView = { id: "hold_v", scope: "vendor", vendor: "Test GmbH", reason: "their breach of today" };
const models = [
  { name: "chat", provider: "simulator", model: "sim-1", bounds: {}, fallback: ["spare"] },
  { name: "spare", provider: "second", model: "sim-2", bounds: {} },
];

describe("a vendor that is suspended", () => {
  let governed: Governed;
  let second: Upstream;

  beforeEach(async () => {
    [governed, second] = await Promise.all([startGoverned(), startUpstream()]);
  });
  afterEach(async () => {
    await governed[Symbol.asyncDispose]();
    await second[Symbol.asyncDispose]();
  });

  const stand = (holds: readonly HoldView[], decide?: (call: CedarCall) => Promise<{ decision: "allow"; reasons: []; errors: [] }>) =>
    governed.stand({
      deployment: deployment({ models, oversight: "continuous" }),
      holds,
      provider: { vendor: "test gmbh " },
      providers: [{ id: "second", baseUrl: second.baseUrl, region: "eu", vendor: "Other", keyRef: "main/second", allow: ["loopback"] }],
      ...(decide !== undefined && { decide }),
    });
  const ask = (model: string, more: object = {}) => governed.post("/openai/v1/chat/completions", JSON.stringify({ model, messages, ...more }));
  const code = async (answer: Response): Promise<unknown> => (await answer.json()).error.code;

  test("gets nothing, however its name is written; calls of another vendor go on", async () => {
    stand([hold]);
    const refused = await ask("chat");
    expect([refused.status, await code(refused)]).toEqual([403, "vendor_suspended"]);
    expect((await ask("spare")).status).toBe(200);
    expect([governed.upstream.received.length, second.received.length]).toEqual([0, 1]);
    expect(governed.bodies("gateway.decision")[0]).toMatchObject({ decision: "deny", reasons: [{ policy: "hold:hold_v", code: "vendor_suspended" }, {}] });
  });

  test("is not asked in place of another either", async () => {
    stand([{ ...hold, vendor: "Other" }]);
    governed.upstream.mode = { kind: "status", status: 503 };
    await ask("chat");
    expect([governed.upstream.received.length, second.received.length]).toEqual([1, 0]);
    expect(governed.bodies("gateway.decision").map(({ code: why }) => why)).toEqual([null, "vendor_suspended"]);
  });

  test("has its streams in flight cut, and those of others are not", async () => {
    stand([]);
    const paced = { kind: "paced", pieces: Array.from({ length: 60 }, (_, at) => `word${at} `), intervalMs: 10 } as const;
    governed.upstream.mode = paced;
    second.mode = paced;
    const [cut, whole] = await Promise.all([ask("chat", { stream: true }), ask("spare", { stream: true })]);
    stand([hold]);
    await expect(cut.text()).rejects.toThrow("terminated");
    expect(await whole.text()).toContain("[DONE]");
    expect(governed.bodies("gateway.outcome").map(({ code: why, abortedBy }) => [why, abortedBy])).toEqual([["vendor_suspended", "hold"], [null, null]]);
  });

  test("is told to the policies, with the oversight that the release declares", async () => {
    const asked: CedarCall[] = [];
    const decide = async (call: CedarCall) => (asked.push(call), { decision: "allow" as const, reasons: [] as [], errors: [] as [] });
    stand([hold], decide);
    await ask("chat");
    await ask("spare");
    await ask("nobody's");
    const vendors = asked.map(({ entities }) => entities.filter(({ uid }) => uid.type === "Licet::Vendor").map(({ uid, attrs }) => [uid.id, attrs["suspended"]]));
    expect(vendors).toEqual([[["test gmbh ", true]], [["Other", false]], [["undeclared", false]]]);
    expect(asked.map(({ entities }) => entities[0]?.attrs["oversight"])).toEqual(["continuous", "continuous", "continuous"]);
  });
});

describe("a person who suspends a vendor", () => {
  let world: World;
  let ops: Caller;

  beforeAll(async () => {
    world = await openWorld();
    ops = await world.person("ops", ["platform-engineer"]);
    await world.provider("simulator");
    await world.push(helpdesk, ops.personId);
  });
  afterAll(() => world.close());

  const params = { space: "main" };
  const place = (body: { readonly scope: "vendor" | "all"; readonly vendor?: string }) => world.routes.placeHold({ params, body: { ...body, reason: "their breach of today" } }, ops, cookies);

  test("names one that is registered, or is told who is", async () => {
    await expect(place({ scope: "vendor", vendor: "nobody" })).rejects.toThrow("no provider of the vendor `nobody` is registered in this space; registered are `v`");
    await expect(place({ scope: "vendor" })).rejects.toMatchObject({ code: "hold_scope_invalid" });
    await expect(place({ scope: "all", vendor: "v" })).rejects.toMatchObject({ code: "hold_scope_invalid" });
  });

  test("stops it at once for everybody, by a signed entry, until the hold is lifted", async () => {
    const placed = await place({ scope: "vendor", vendor: "V" });
    expect(placed).toMatchObject({ scope: "vendor", system: null, vendor: "V" });
    const { read } = world.installation.database;
    const standing = async () => (await new StandingViews([]).build(await read.transaction().execute(standingRows))).spaces.find(({ space }) => space === "main")?.holds;
    expect(await standing()).toEqual([{ id: placed.id, scope: "vendor", vendor: "V", reason: "their breach of today" }]);
    const asking = await world.routes.liftHold({ params: { space: "main", hold: placed.id }, body: { reason: "mended" } }, ops, cookies);
    expect(asking).toMatchObject({ done: true, request: { title: "lift the hold on the vendor V: mended" } });
    expect(await standing()).toEqual([]);
  });

  test("finds the oversight mode of a release in the standing of its deployment", async () => {
    const rows = await world.installation.database.read.transaction().execute(standingRows);
    const release = `sha256:${"a".repeat(64)}`;
    const deployed = { space: "main", id: "dep_1", system: "helpdesk", environment: "local", stage: "pilot", release, active: 1, recorded_by: "per_ops", recorded_at: 0, attested: "", entry: "ent_1" };
    const credential = { space: "main", id: "cred_1", deployment: "dep_1", digest: "sha256:0", hint: "", issued_by: "per_ops", issued_at: 0, expires_at: 1, revoked_at: null, entry: "ent_2" };
    const bundle = { ...helpdesk, manifest: { ...helpdesk.manifest, oversight: { mode: "spot-checks", overseer: "the head of support" } } };
    const { credentials } = await new StandingViews([]).build({ ...rows, deployments: [deployed], credentials: [credential], releases: [{ space: "main", system: "helpdesk", digest: release, bundle: JSON.stringify(bundle) }] });
    expect(credentials[0]?.deployment.oversight).toBe("spot-checks");
  });
});
