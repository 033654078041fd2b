import { ApiError } from "@licet/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packOf } from "../../packages/licet/src/policy/bundle-fixture.ts";
import { workloadRequest } from "../../packages/licet/src/policy/request-fixture.ts";
import { install, type Installation } from "./installation.ts";

type Person = Awaited<ReturnType<Installation["person"]>>;

let installation: Installation;
let engineer: Person;
let owner: Person;
let reader: Person;
beforeAll(async () => {
  installation = await install();
  engineer = await installation.person("main", ["security-engineer"]);
  owner = await installation.person("main", ["risk-owner"]);
  reader = await installation.person("main", ["executive"]);
});
afterAll(() => installation.close());

const params = { space: "main" };
const code = async (work: Promise<unknown>): Promise<unknown> => work.then(() => "nothing was thrown", (error: unknown) => (error instanceof ApiError ? error.code : error));
const question = JSON.parse(JSON.stringify(workloadRequest()));
const pack = packOf({ name: "team-rules", kind: "team", systems: ["helpdesk"] }, `@id("team-rules.no-internal")\n@title("no internal data")\n@remedy("leave it out")\n@turn("technical-owner")\nforbid (principal, action == Licet::Action::"callModel", resource) when { context.dataClasses.contains("internal") };`);

test("everybody who may read sees the installation's packs, page by page, and decides in the playground", async () => {
  const { packs, publishedBy, problem } = await reader.client("showPolicies", { params });
  expect(packs.length).toBeGreaterThan(3);
  expect(packs.every(({ kind, origin }) => kind === "builtin" && origin === "installation")).toBe(true);
  expect({ publishedBy, problem }).toEqual({ publishedBy: "server", problem: null });
  const first = await reader.client("listPolicies", { params, query: { limit: 5 } });
  const second = await reader.client("listPolicies", { params, query: { limit: 5, cursor: first.next ?? "" } });
  expect(new Set([...first.items, ...second.items].map(({ id }) => id)).size).toBe(10);
  const held = await reader.client("explainPolicy", { params, body: { request: JSON.parse(JSON.stringify(workloadRequest({ held: true }))) } });
  expect(held).toMatchObject({ decision: "deny", source: "given", residual: { decision: "deny" } });
  expect(held.reasons.map(({ requirement }) => requirement)).toContain("held");
  expect(await code(reader.client("explainPolicy", { params, body: {} }))).toBe("explain_question");
  expect(await code(reader.client("publishPolicies", { params, body: { packs: [pack], comment: "x" } }))).toBe("permission_denied");
  expect(await code(reader.client("startBacktest", { params, body: { packs: [pack] } }))).toBe("permission_denied");
});

test("a pack is checked, asked for, approved by another person and decides", async () => {
  const check = await engineer.client("checkPolicies", { params, body: { packs: [pack] } });
  expect(check).toMatchObject({ ok: true, changes: [{ sign: "+", policy: "team-rules.no-internal" }] });
  const { done, request } = await engineer.client("publishPolicies", { params, body: { packs: [pack], comment: "because of the audit" } });
  expect({ done, move: request.move, packs: request.detail["packs"] }).toEqual({ done: false, move: "publish-policy", packs: ["team-rules"] });
  const answer = { params: { space: "main", request: request.id }, body: { role: "risk-owner", answer: "approve", comment: "fine" } } as const;
  expect(await code(engineer.client("giveApproval", answer))).toBe("approval_role_missing");
  expect(await owner.client("giveApproval", answer)).toMatchObject({ status: "granted" });
  expect(await reader.client("explainPolicy", { params, body: { request: question } })).toMatchObject({ decision: "deny", reasons: [{ policy: "team-rules.no-internal" }] });
  const { items } = await reader.client("listPublications", { params, query: { limit: 10 } });
  expect(items[0]).toMatchObject({ active: true, publishedBy: engineer.email, digest: check.digest, approvals: [{ person: owner.email, role: "risk-owner" }] });
  const detail = await reader.client("showPublication", { params: { space: "main", publication: items[0]?.id ?? "" } });
  expect(detail.changes.map(({ sign, policy }) => `${sign}${policy ?? ""}`)).toEqual(["+team-rules.no-internal"]);
  const { packs, digest } = await reader.client("showBundle", { params: { space: "main", digest: "active" } });
  expect({ packs: packs.map(({ name }) => name), digest }).toEqual({ packs: ["team-rules"], digest: check.digest });
  expect(await code(reader.client("showBundle", { params: { space: "main", digest: `sha256:${"0".repeat(64)}` } }))).toBe("not_found");
});
