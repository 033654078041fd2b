import { createWorkload, digestOfModel, guarded, type Workload } from "@licet/client";
import { gatewayEntries } from "@licet/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { credential, deployment, start, startGoverned, withoutAto, type Governed } from "../../../../test/unit/support/governed.ts";
import { startUpstream } from "../../../../test/unit/support/upstream.ts";

const file = new Uint8Array([1, 2, 3]);
const digest = "sha256:039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81";
const classical = deployment({ id: "dep_tumour", system: "tumour", prompts: [], models: [{ name: "tumour-gbm", provider: "local", model: "tumour.onnx", digest, bounds: {} }] });

let governed: Governed;
let workload: Workload;
let ran: number[][];

beforeEach(async () => {
  governed = await startGoverned();
  governed.stand({ deployment: classical });
  workload = createWorkload({ dataUrl: governed.origin, credential, workload: "tumour", timeoutMilliseconds: 2000 });
  ran = [];
});
afterEach(() => governed[Symbol.asyncDispose]());

const sum = (row: number[]): number => {
  ran.push(row);
  return row.reduce((a, b) => a + b, 0);
};
const score = (of: Workload = workload) => guarded(sum, { workload: of, model: "tumour-gbm", digest, rows: () => 1, describe: () => ({ dataClasses: ["internal"] }) });
const code = (work: Promise<unknown>): Promise<unknown> => work.then(() => "passed", (error: unknown) => (error instanceof Error && "code" in error ? error.code : error));
const outcome = () => gatewayEntries["gateway.outcome"].body.parse(governed.bodies("gateway.outcome").at(-1));

describe("a guarded function", () => {
  test("runs between its decision and its outcome, and both are in the record", async () => {
    let before = -1;
    const watching = guarded((row: number[]) => ((before = governed.bodies("access.decision").length), sum(row)), { workload, model: "tumour-gbm", digest, rows: () => 1 });
    expect(await watching([1, 2])).toBe(3);
    expect(before).toBe(1);
    const [decision] = governed.bodies("access.decision");
    expect(decision).toMatchObject({ decision: "allow", action: "score", digest });
    expect(outcome()).toMatchObject({ decision: decision?.["id"], deployment: "dep_tumour", finish: "complete", reported: { rows: 1, output: null } });
  });

  test("does not run under a hold, without an authorization, with another file or with data outside the boundary", async () => {
    const refused: unknown[] = [];
    governed.stand({ deployment: classical, holds: [{ id: "hold_1", scope: "all", reason: "stop" }] });
    refused.push(await code(score()([1])));
    governed.stand({ deployment: withoutAto(classical) });
    refused.push(await code(score()([1])));
    governed.stand({ deployment: classical });
    refused.push(await code(guarded(sum, { workload, model: "tumour-gbm", digest: `sha256:${"0".repeat(64)}` })([1])));
    refused.push(await code(guarded(sum, { workload, model: "tumour-gbm", digest, describe: () => ({ dataClasses: ["special"] }) })([1])));
    refused.push(await code(guarded(sum, { workload, model: "tumour-gbm", digest, describe: () => ({ texts: ["jo@example.com"] }) })([1])));
    expect(refused).toEqual(["held", "ato_missing", "release_mismatch", "data_outside_boundary", "data_outside_boundary"]);
    expect(ran).toEqual([]);
    expect(JSON.stringify(governed.ledger.entries)).not.toContain("jo@example.com");
  });

  test("stops between two calls when a hold is placed", async () => {
    const guard = score();
    await guard([1]);
    governed.stand({ deployment: classical, holds: [{ id: "hold_1", scope: "system", system: "helpdesk", reason: "other" }] });
    await guard([2]);
    governed.stand({ deployment: classical, holds: [{ id: "hold_1", scope: "system", system: "tumour-classifier", reason: "stop" }, { id: "hold_2", scope: "all", reason: "stop" }] });
    expect(await code(guard([3]))).toBe("held");
    expect(ran).toEqual([[1], [2]]);
  });

  test("passes on what the function throws, after the record says that it failed", async () => {
    const failing = guarded(() => Promise.reject(new Error("no memory")), { workload, model: "tumour-gbm", digest });
    await expect(failing([1])).rejects.toThrow("no memory");
    expect(outcome()).toMatchObject({ finish: "failed" });
  });

  test("runs nothing where Licet is gone, answers garbage or takes no decision", async () => {
    const other = await startUpstream();
    other.mode = { kind: "raw", contentType: "text/html", body: "<html>" };
    const elsewhere = createWorkload({ dataUrl: new URL(other.baseUrl).origin, credential, workload: "tumour", timeoutMilliseconds: 500 });
    expect(await code(score(elsewhere)([1]))).toBe("unreachable");
    await other[Symbol.asyncDispose]();
    expect(await code(score(elsewhere)([1]))).toBe("unreachable");
    governed.ledger.broken = true;
    expect(await code(score()([1]))).toBe("evidence_unavailable");
    expect(ran).toEqual([]);
  });

  test("withholds a result whose outcome is not in the record", async () => {
    const breaking = guarded((row: number[]) => ((governed.ledger.broken = true), sum(row)), { workload, model: "tumour-gbm", digest });
    expect(await code(breaking([1]))).toBe("evidence_unavailable");
    expect(ran).toEqual([[1]]);
  });

  test("of an observed system runs on, and its decision says what would have refused it", async () => {
    const observe = { id: "wvr_1", notBefore: start, notAfter: start + 1000, asked: "per_tom", granted: [], soleOperator: true };
    governed.stand({ deployment: { ...withoutAto(classical), observe } });
    expect(await workload.mayScore({ model: "tumour-gbm", digest })).toMatchObject({ allowed: true, observed: ["ato_missing"] });
    expect(governed.bodies("access.decision").at(-1)).toMatchObject({ decision: "allow", waiver: "wvr_1", observed: [{ code: "ato_missing" }] });
    expect(await code(guarded(sum, { workload, model: "undeclared", digest })([1]))).toBe("model_undeclared");
  });
});

describe("an outcome", () => {
  const ended = (decision: string) => workload.scored({ decision, finish: "complete" });

  test("is reported once, of an allowed scoring, by the deployment that asked", async () => {
    const answer = await workload.mayScore({ model: "tumour-gbm", digest });
    const call = await workload.mayCall({ model: "tumour-gbm" });
    expect(await ended(call.decision ?? "")).toBe(false);
    expect(await ended("dec_unknown")).toBe(false);
    governed.stand({ deployment: classical, credential: { id: "cred_2" } });
    expect(await ended(answer.decision ?? "")).toBe(false);
    governed.stand({ deployment: classical });
    expect(await ended(answer.decision ?? "")).toBe(true);
    expect(await ended(answer.decision ?? "")).toBe(false);
    expect(governed.bodies("gateway.outcome")).toHaveLength(1);
  });

  test("that no log takes can be reported again", async () => {
    const { decision } = await workload.mayScore({ model: "tumour-gbm", digest });
    governed.ledger.broken = true;
    expect(await ended(decision ?? "")).toBe(false);
    governed.ledger.broken = false;
    expect(await ended(decision ?? "")).toBe(true);
  });
});

test("a model's digest is the SHA-256 of its bytes", async () => {
  expect(await digestOfModel(file)).toBe(digest);
});
