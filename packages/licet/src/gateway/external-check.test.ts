import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { messages, startGoverned, type Governed } from "../../../../test/unit/support/governed.ts";
import { startUpstream, type Upstream } from "../../../../test/unit/support/upstream.ts";
import { detectionOf } from "./detect/rules.ts";

let governed: Governed;
/** Plays the detector: answers what the test says. */
let detector: Upstream;

beforeEach(async () => {
  governed = await startGoverned();
  detector = await startUpstream();
});

afterEach(async () => {
  await detector[Symbol.asyncDispose]();
  await governed[Symbol.asyncDispose]();
});

function declare(on: readonly ("request" | "answer")[]): void {
  const external = [{ name: "names", url: `${detector.baseUrl}/find`, classes: { "person-name": "personal" as const }, on: [...on], timeoutMs: 500, allow: ["loopback"] }];
  governed.stand({ detection: detectionOf([{ pack: "test", section: { external, actions: [{ of: "person-name", action: "block" }] } }]) });
}

function finds(findings: readonly object[]): void {
  detector.mode = { kind: "raw", contentType: "application/json", body: JSON.stringify({ findings }) };
}

async function ask(stream = false): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await governed.post("/openai/v1/chat/completions", JSON.stringify({ model: "chat", messages, stream }));
  return { status: answer.status, text: await answer.text() };
}

describe("an external detector of requests", () => {
  test("sees every text before anything leaves, and what it finds is refused like any finding", async () => {
    declare(["request"]);
    finds([{ text: 0, type: "person-name", start: 0, end: 2 }]);
    expect((await ask()).text).toContain("data_outside_boundary");
    expect(detector.received[0]?.body["texts"]).toEqual(expect.arrayContaining(messages.map(({ content }) => content)));
    expect(governed.upstream.received).toHaveLength(0);
    expect(governed.bodies("gateway.decision")[0]).toMatchObject({ findings: [{ type: "person-name", dataClass: "personal", count: 1, action: "block" }] });
  });

  test("that finds nothing lets the call go on", async () => {
    declare(["request"]);
    finds([]);
    expect((await ask()).status).toBe(200);
  });

  test.each([
    ["is silent", { kind: "hang" }],
    ["breaks off", { kind: "reset" }],
    ["fails", { kind: "status", status: 500 }],
    ["says something else", { kind: "raw", contentType: "application/json", body: "{}" }],
  ] as const)("that %s refuses the call", async (_, mode) => {
    declare(["request"]);
    detector.mode = mode;
    const { status, text } = await ask();
    expect([status, text.includes("detector_unavailable")]).toEqual([503, true]);
    expect(governed.upstream.received).toHaveLength(0);
  });
});

describe.each([false, true])("an external detector of answers (streamed: %s)", (stream) => {
  test("sees the whole answer before a byte of it goes out, and what it finds is withheld", async () => {
    declare(["answer"]);
    governed.upstream.mode = { kind: "answer", pieces: ["ask ", "Ada ", "today"] };
    finds([{ text: 0, type: "person-name", start: 0, end: 3 }]);
    const { status, text } = await ask(stream);
    expect([status, text.includes("answer_outside_boundary"), text.includes("Ada")]).toEqual([403, true, false]);
    expect(JSON.stringify(detector.received[0]?.body["texts"])).toContain("ask Ada today");
    expect(governed.bodies("gateway.outcome")[0]).toMatchObject({ finish: "refused", abortedBy: "boundary", findings: [{ type: "person-name", count: 1 }] });
  });

  test("that cannot be asked withholds the answer", async () => {
    declare(["answer"]);
    detector.mode = { kind: "status", status: 500 };
    const { status, text } = await ask(stream);
    expect([status, text.includes("detector_unavailable")]).toEqual([503, true]);
  });

  test("that finds nothing lets it go out whole", async () => {
    declare(["answer"]);
    finds([]);
    expect((await ask(stream)).text).toContain("hello");
  });
});
