import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createWorkload, type Workload } from "@licet/client";
import { gatewayEntries } from "@licet/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { credential, deployment, startGoverned, withoutAto, type Governed, type Standing } from "../support/governed.ts";
import { ApplicationSpace } from "../../../packages/licet/src/pdp/grants.ts";
import { readObligations } from "../../../packages/licet/src/policy/obligation-form.ts";
import type { CedarCall } from "../../../packages/licet/src/gateway/decide.ts";

const view = deployment({
  boundary: { classes: ["public", "internal", "personal"], regions: ["eu"], sharingPaths: [{ to: "crm", classes: ["public", "internal"], region: "eu" }, { to: "newsletter", classes: ["personal"] }] },
});

let governed: Governed;
let licet: Workload;

beforeEach(async () => {
  governed = await startGoverned();
  governed.stand({ deployment: view });
  licet = createWorkload({ dataUrl: `${governed.origin}/`, credential, workload: "helpdesk" });
});
afterEach(async () => {
  await governed[Symbol.asyncDispose]();
});

function recorded() {
  return gatewayEntries["access.decision"].body.parse(governed.bodies("access.decision").at(-1));
}

describe("an export", () => {
  test("along a declared path is allowed, and stands in the log before the answer", async () => {
    const seen: CedarCall[] = [];
    governed.stand({
      deployment: view,
      decide: async (call) => {
        seen.push(call);
        return { decision: "allow", reasons: [], errors: [] };
      },
    });
    const answer = await licet.mayExport({ to: "crm", dataClasses: ["internal", "public", "internal"], purpose: "hand-over", records: 40 });
    expect(answer).toEqual({ allowed: true, decision: recorded().id, obligations: [] });
    expect(recorded()).toMatchObject({ decision: "allow", action: "exportData", exported: { to: "crm", dataClasses: ["internal", "public"], purpose: "hand-over", records: 40 }, asked: { resource: { type: "destination", id: "crm" } } });
    expect(seen[0]).toMatchObject({
      principal: { type: "Licet::Workload", id: "dep_helpdesk" },
      action: { type: "Licet::Action", id: "exportData" },
      resource: { type: "Licet::Destination", id: "crm" },
      context: { dataClasses: ["internal", "public"], purpose: "hand-over" },
    });
    expect(seen[0]?.entities[1]).toEqual({ uid: { type: "Licet::Destination", id: "crm" }, attrs: { name: "crm", declared: true, classes: ["internal", "public"], region: "eu" }, parents: [] });
  });

  test.each<[string, Parameters<Workload["mayExport"]>[0], Standing]>([
    ["sharing_path_missing", { to: "broker", dataClasses: ["public"] }, {}],
    ["sharing_path_missing", { to: "crm", dataClasses: ["public", "personal"] }, {}],
    ["sharing_path_missing", { to: "crm", dataClasses: ["anything"] }, {}],
    ["sharing_path_missing", { to: "crm", dataClasses: ["public"] }, { deployment: deployment() }],
    ["sharing_path_missing", { to: "crm", dataClasses: ["public"], purpose: "tell jo@example.com" }, {}],
    ["data_outside_boundary", { to: "crm", dataClasses: ["internal"] }, { deployment: { ...view, boundary: { ...view.boundary, classes: ["public"] } } }],
    ["query_invalid", { to: "crm", dataClasses: [] }, {}],
    ["query_invalid", { to: "crm", dataClasses: ["public"], records: 1.5 }, {}],
    ["ato_missing", { to: "crm", dataClasses: ["public"] }, { deployment: withoutAto(view) }],
    ["held", { to: "crm", dataClasses: ["public"] }, { holds: [{ id: "h", scope: "all", reason: "exercise" }] }],
    ["policy_denied", { to: "crm", dataClasses: ["public"] }, { decide: null }],
  ])("%s is refused with a remedy, and recorded", async (code, asked, standing) => {
    governed.stand({ deployment: view, ...standing });
    const answer = await licet.mayExport(asked);
    expect(answer).toMatchObject({ allowed: false, code, remedy: expect.stringMatching(/./u), decision: recorded().id });
    expect(recorded()).toMatchObject({ decision: "deny", code, exported: { to: asked.to } });
  });

  test("with an obligation is allowed only to a program that carries it out", async () => {
    const obligations = new Map([["p.record", readObligations("{type: custom, properties: {record: recipient}}")]]);
    const decide = async () => ({ decision: "allow" as const, reasons: [{ policy: "p.record" }], errors: [] });
    governed.stand({ deployment: view, decide, applications: new Map([["main", new ApplicationSpace(undefined, { grants: new Map(), obligations })]]) });
    const asked = { to: "crm", dataClasses: ["public"] };
    expect(await licet.mayExport(asked)).toMatchObject({ allowed: false, code: "obligation_unsupported", decision: recorded().id });
    expect(recorded()).toMatchObject({ decision: "deny", obligations: [] });
    const able = createWorkload({ dataUrl: governed.origin, credential, workload: "helpdesk", obligations: ["custom"] });
    expect(await able.mayExport(asked)).toEqual({ allowed: true, decision: recorded().id, obligations: [{ id: "p.record", type: "custom", properties: { record: "recipient" } }] });
    expect(recorded()).toMatchObject({ decision: "allow", obligations: [{ id: "p.record", type: "custom" }] });
    const proxied = await fetch(`${governed.origin}/ext-authz/`, { headers: { authorization: `Bearer ${credential}`, "x-licet-model": "chat" } });
    expect([proxied.status, proxied.headers.get("x-licet-code")]).toEqual([403, "obligation_unsupported"]);
  });

  test("of another workload is nobody's to ask for", async () => {
    expect(await createWorkload({ dataUrl: governed.origin, credential, workload: "dep_other" }).mayExport({ to: "crm", dataClasses: ["public"] })).toMatchObject({ allowed: false, code: "subject_mismatch" });
  });
});

describe("the SDK never says yes by mistake", () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  async function answering(status: number, body: string, headers: Record<string, string> = {}): Promise<Workload> {
    const server = createServer((_request, response) => void response.writeHead(status, headers).end(body));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return createWorkload({ dataUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, credential, workload: "helpdesk", timeoutMilliseconds: 300 });
  }

  const yes = JSON.stringify({ decision: true, context: { id: "dec_1" } });
  test.each<[string, number, string, Record<string, string>]>([
    ["an error with a yes in it", 500, yes, {}],
    ["a redirect", 302, yes, { location: "/elsewhere" }],
    ["no JSON", 200, "yes", {}],
    ["half an answer", 200, yes.slice(0, -2), {}],
    ["a yes that is a word", 200, JSON.stringify({ decision: "true", context: { id: "dec_1" } }), {}],
    ["a yes that names no decision", 200, JSON.stringify({ decision: true, context: {} }), {}],
    ["a list", 200, `[${yes}]`, {}],
    ["null", 200, "null", {}],
    ["a yes with an obligation that nobody carries out", 200, JSON.stringify({ decision: true, context: { id: "dec_1", obligations: [{ id: "o", type: "custom", properties: {} }] } }), {}],
    ["a yes with obligations that are none", 200, JSON.stringify({ decision: true, context: { id: "dec_1", obligations: "custom" } }), {}],
    ["nothing", 204, "", {}],
  ])("%s is a refusal", async (_, status, body, headers) => {
    const answer = await (await answering(status, body, headers)).mayExport({ to: "crm", dataClasses: ["public"] });
    expect(answer).toMatchObject({ allowed: false, remedy: expect.stringMatching(/./u) });
  });

  test("nobody there, an unknown credential, a log that takes nothing: refusals with their code", async () => {
    const nobody = createWorkload({ dataUrl: "http://127.0.0.1:1", credential, workload: "helpdesk" });
    expect(await nobody.mayScore({ model: "chat", digest: "sha256:0" })).toMatchObject({ allowed: false, code: "unreachable", decision: null });
    const stranger = createWorkload({ dataUrl: governed.origin, credential: "lic_nobody", workload: "helpdesk" });
    expect(await stranger.mayCall({ model: "chat" })).toMatchObject({ allowed: false, code: "credential_invalid", decision: recorded().id });
    expect(await licet.mayCall({ model: "chat" })).toEqual({ allowed: true, decision: recorded().id, obligations: [] });
    governed.ledger.broken = true;
    expect(await licet.mayExport({ to: "crm", dataClasses: ["public"] })).toMatchObject({ allowed: false, code: "evidence_unavailable", decision: null });
  });
});
