import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { answerWords, promptWords } from "../../../packages/licet/src/gateway/content.ts";
import { redacted as redactedBy } from "../../../packages/licet/src/gateway/detect/redacted.ts";
import { defaultRules } from "../../../packages/licet/src/gateway/detect/rules.ts";
import { answerCharactersMax, Transcript } from "../../../packages/licet/src/gateway/transcript.ts";
import { modeFor } from "../../../packages/licet/src/privacy/content-modes.ts";
import { defaultPrivacy } from "@licet/contract";
import { modes, privateInstallation, type PrivateInstallation } from "../support/private.ts";

let at: PrivateInstallation;
const everything = ["public", "internal", "confidential", "personal", "special"];
const question = "write to ada.lovelace@example.org please";

let from = 0;

beforeAll(async () => {
  at = await privateInstallation();
});
beforeEach(() => {
  from = at.records.log.size;
  at.upstream.received.length = 0;
  at.upstream.onRequest = () => undefined;
  at.upstream.mode = { kind: "answer", text: "I wrote to ada.lovelace@example.org.", pieces: ["I wrote to ada.love", "lace@example.org", "."] };
});
afterAll(async () => {
  await at.stop();
  await at.remove();
});

interface Said {
  readonly kind: string;
  readonly class: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What the log holds of this test's calls, or held when it had `to` entries. */
async function said(to?: number): Promise<readonly Said[]> {
  const found: Said[] = [];
  for (let index = from; index < (to ?? at.records.log.size); index += 1) {
    const entry = await at.records.recorder.readAt("main", index);
    if (entry?.kind.startsWith("gateway.") === true) found.push({ kind: entry.kind, class: entry.class, body: entry.body });
  }
  return found;
}

async function contents() {
  return (await said()).filter(({ kind }) => kind === "gateway.content").map(({ body }) => body);
}

describe.each([false, true])("what is recorded of a call (streamed: %s)", (stream) => {
  const call = (mode: Parameters<typeof modes>[0]) => at.ask({ content: question, stream, classes: everything, modes: modes(mode) });

  test("none: neither words nor their digests", async () => {
    expect((await call("none")).status).toBe(200);
    expect(await said()).toMatchObject([{ kind: "gateway.decision", body: { messages: null } }, { kind: "gateway.outcome" }]);
  });

  test("digest: digests of the messages, and no words", async () => {
    expect((await call("digest")).status).toBe(200);
    const [decision, outcome, more] = await said();
    expect([decision?.body["messages"], more]).toEqual([expect.objectContaining({ count: 2 }), undefined]);
    expect(outcome?.kind).toBe("gateway.outcome");
    expect(decision?.body).not.toHaveProperty("content");
  });

  test("encrypted: prompt and answer, under a key of their own class, and no digests beside them", async () => {
    expect((await call("encrypted")).status).toBe(200);
    const all = await said();
    const [prompt, answer] = all.filter(({ kind }) => kind === "gateway.content");
    const decision = all.find(({ kind }) => kind === "gateway.decision");
    expect(prompt).toMatchObject({ class: "content", body: { part: "prompt", mode: "encrypted", messages: [{}, { role: "user", content: question }], texts: null, truncated: false } });
    expect(answer).toMatchObject({ class: "content", body: { part: "answer", decision: decision?.body["id"], texts: [{ at: "0.content", text: "I wrote to ada.lovelace@example.org." }] } });
    expect(decision?.body).toMatchObject({ messages: null, content: prompt?.body["id"] });
    expect(at.filesWith("ada.lovelace")).toEqual([]);
  });

  test("redacted: every finding replaced by its type, also one that came in pieces", async () => {
    expect((await call("redacted")).status).toBe(200);
    const [prompt, answer] = await contents();
    expect(prompt).toMatchObject({ mode: "redacted", messages: [{}, { content: "write to [email] please" }] });
    expect(answer).toMatchObject({ texts: [{ at: "0.content", text: "I wrote to [email]." }] });
  });
});

test("the prompt is durable before the first byte goes to the provider", async () => {
  let recorded: Promise<readonly unknown[]> = Promise.resolve([]);
  at.upstream.onRequest = () => {
    recorded = said(at.records.log.size).then((all) => all.map(({ kind }) => kind).toSorted());
  };
  await at.ask({ content: question, classes: everything, modes: modes("encrypted") });
  expect(await recorded).toEqual(["gateway.content", "gateway.decision"]);
});

test("words that cannot be recorded deny the call, and the record says that nothing was sent", async () => {
  const { keyring } = at.records;
  const make = keyring.hashedName.bind(keyring);
  keyring.hashedName = () => Promise.reject(new Error("the keys directory is full"));
  const { status, body } = await at.ask({ content: question, user: "u1", classes: everything, modes: modes("encrypted") });
  keyring.hashedName = make;
  expect([status, JSON.parse(body).error.code]).toEqual([503, "evidence_unavailable"]);
  expect(at.upstream.received).toEqual([]);
  expect(await said()).toMatchObject([{ kind: "gateway.decision", body: { decision: "allow" } }, { kind: "gateway.outcome", body: { code: "evidence_unavailable", finish: "failed", upstreamStatus: null } }]);
});

test("a value that is split over the parts of a message is redacted whole", async () => {
  const parts = [{ type: "text", text: "to ada@exam" }, { type: "text", text: "ple.org now" }];
  expect((await at.ask({ content: parts, classes: everything, modes: modes("redacted") })).status).toBe(200);
  expect((await contents())[0]).toMatchObject({ messages: [{}, { content: [{ type: "text", text: "to [email]" }, { type: "text", text: " now" }] }] });
});

test("parts of a message, of what stands in it and of an answer are read as one before they are recorded, and alone as well", () => {
  const part = (text: string) => ({ type: "text", text });
  const split = [part("so jo@exa"), { type: "image" }, part("mple.org and"), part("AKIAIOSFODNN7EXAMPLE")];
  const { messages } = promptWords({ user: undefined, messages: [{ role: "user", content: [{ type: "tool_result", content: split, "ann@example.org": 1 }] }] }, "redacted");
  expect(messages).toEqual([{ role: "user", content: [{ type: "tool_result", content: [part("so [email]"), { type: "image" }, part(" and"), part("[aws-access-key]")], "[email]": 1 }] }]);
  const said = ["so jo@exa", "mple.org and", "more"];
  const texts = ["content[0].text", "content[1].text", "other[0].text"].map((at, each) => ({ at, text: said[each] ?? "" }));
  expect(answerWords({ user: undefined }, "redacted", { texts, truncated: false }).texts?.map(({ text }) => text)).toEqual(["so [email]", " and", "more"]);
});

test("an answer that was refused at the boundary is not recorded either", async () => {
  expect((await at.ask({ content: "hello", classes: ["public", "internal"], modes: modes("encrypted") })).status).toBe(403);
  expect((await contents())[1]).toMatchObject({ part: "answer", texts: [] });
});

test("a call gets the least of the modes of every class that it may hold", () => {
  const mixed = { ...defaultPrivacy.contentModes, public: "encrypted", internal: "redacted", special: "none" } as const;
  expect(modeFor(mixed, ["public"])).toBe("encrypted");
  expect(modeFor(mixed, ["public", "internal"])).toBe("redacted");
  expect(modeFor(mixed, ["public", "special"])).toBe("none");
  expect([modeFor(mixed, []), modeFor(mixed, ["public", "secret"])]).toEqual(["none", "none"]);
});

const redacted = (text: string) => redactedBy(defaultRules, text);

test("redaction reads escapes as a tool would, and leaves other text as it was", () => {
  expect(redacted(String.raw`{"to":"ada\u0040example.org"}`)).toBe('{"to":"[email]"}');
  expect(redacted(String.raw`{"n":"a\u0062c"}`)).toBe(String.raw`{"n":"a\u0062c"}`);
  expect(redacted("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nAQAB\n-----END RSA PRIVATE KEY----- is mine")).toBe("[private-key] is mine");
  expect(redacted("keep -----BEGIN PRIVATE KEY-----\nMIIEow\nAQAB")).toBe("keep [private-key]");
  expect(redacted("token sk-0123456789012345678901234567890123456789.")).toBe("token [api-key].");
  expect(redacted("card 4111 1111 1111 1111, mail a@example.org")).toBe("card [card-number], mail [email]");
});

test("more than the bound of an answer is left out, and said so", () => {
  const transcript = new Transcript();
  transcript.add("0.content", "x".repeat(answerCharactersMax - 1));
  transcript.add("0.content", "yz");
  expect([transcript.truncated, transcript.texts[0]?.text.length, transcript.texts[0]?.text.at(-1)]).toEqual([true, answerCharactersMax, "y"]);
});
