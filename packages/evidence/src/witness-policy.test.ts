import fc from "fast-check";
import { expect, test } from "vitest";
import { formatCheckpoint } from "./checkpoint.ts";
import { formatNote } from "./note.ts";
import { cosigner, ed25519Signer, someTime, valid } from "./signers-fixture.ts";
import { formatVkey } from "./vkey.ts";
import { checkQuorum, formatPolicy, parsePolicy, type WitnessPolicy } from "./witness-policy.ts";
import { verifyByPolicy, verifyWitnesses } from "./witnessing.ts";

const origin = "log.example/one";
const log = ed25519Signer(origin);
const pqLog = cosigner(origin, "ml-dsa-44");
const [x1, x2, x3, y1, y2] = [
  cosigner("x1.example", "ed25519-cosignature"),
  cosigner("x2.example", "ed25519-cosignature"),
  cosigner("x3.example", "ml-dsa-44"),
  cosigner("y1.example", "ed25519-cosignature"),
  cosigner("y2.example", "ed25519-cosignature"),
];
const text = formatCheckpoint({ origin, size: 5, root: new Uint8Array(32).fill(7) });
const noMlDsa = { mlDsa44: () => Promise.resolve("unsupported" as const) };

const example = `# of two organisations
log ${log.text} https://log.example/

witness X1 ${x1.text}
\twitness  X2\t${x2.text}  https://x2.example/
witness X3 ${x3.text}
group X-witnesses 2 X1 X2 X3
witness Y1 ${y1.text}
witness Y2 ${y2.text}
group Y-witnesses any Y1 Y2
  # both
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
`;

test("the example of C2SP tlog-policy asks for two of the one organisation and one of the other", () => {
  const policy = valid(parsePolicy(example));
  const expected: readonly (readonly [string, boolean])[] = [
    ["", false],
    ["X1 X2", false],
    ["Y1 Y2", false],
    ["X1 Y1 Y2", false],
    ["X1 X2 Y1", true],
    ["X2 X3 Y2", true],
    ["X1 X2 X3 Y1 Y2", true],
    ["X1 X1 Y1", false],
    ["X-witnesses Y-witnesses", false],
    ["X-and-Y", false],
  ];
  expect(expected.map(([names]) => [names, checkQuorum(policy, names.split(" "))])).toEqual(expected);
});

test("a policy comes back from its text, and its text from a policy", () => {
  const policy = valid(parsePolicy(example));
  expect(policy.witnesses.map(({ name, url }) => [name, url])).toEqual([["X1", undefined], ["X2", "https://x2.example/"], ["X3", undefined], ["Y1", undefined], ["Y2", undefined]]);
  const formatted = formatPolicy(policy);
  expect(valid(parsePolicy(formatted))).toEqual(policy);
  expect(formatPolicy(valid(parsePolicy(formatted)))).toBe(formatted);
  expect(formatPolicy(valid(parsePolicy("quorum none\n")))).toBe("quorum none\n");
  for (const [at, name] of ["a b", "none", "a\n", "", "\u007f"].entries()) {
    expect(() => formatPolicy({ logs: [], witnesses: [{ name, vkey: x1.vkey }], groups: [], quorum: null }), `name ${at}`).toThrow(TypeError);
  }
  expect(() => formatPolicy({ logs: [], witnesses: [], groups: [], quorum: "absent" })).toThrow(TypeError);
  const spaced = { name: "g", threshold: 1, members: ["X1 X2"] };
  expect(() => formatPolicy({ ...policy, groups: [spaced], quorum: "g" })).toThrow("holds spaces");
});

const asWitness = formatVkey({ ...x1.vkey, name: "another-name.example" });
const w1 = `witness X1 ${x1.text}\n`;

test.each([
  ["policy_unterminated", 1, "quorum none"],
  ["policy_quorum_missing", 1, w1],
  ["policy_quorum_missing", 0, ""],
  ["policy_quorum_twice", 2, "quorum none\nquorum none\n"],
  ["policy_quorum", 1, "quorum\n"],
  ["policy_quorum", 1, "quorum none none\n"],
  ["policy_name_unknown", 1, "quorum X1\nquorum none\n"],
  ["policy_name_unknown", 1, `quorum X1\n${w1}`],
  ["policy_keyword", 1, "quorums none\n"],
  ["policy_keyword", 1, "toString none\n"],
  ["policy_characters", 2, "quorum none\n\r\n"],
  ["policy_characters", 1, "# \u007f\nquorum none\n"],
  ["policy_log", 1, "log\n"],
  ["policy_log", 1, "log x\n"],
  ["policy_log", 1, `log ${log.text} https://a/ b\n`],
  ["policy_log", 1, `log ${x1.text}\n`],
  ["policy_duplicate", 2, `log ${log.text}\nlog ${log.text}\n`],
  ["policy_witness", 1, "witness X1\n"],
  ["policy_witness", 1, `witness X1 ${log.text}\n`],
  ["policy_witness", 1, `witness X1 ${x1.text.replace("+", "-")}\n`],
  ["policy_duplicate", 2, `${w1}witness X2 ${asWitness}\n`],
  ["policy_name_taken", 2, `${w1}witness X1 ${x2.text}\n`],
  ["policy_name_taken", 1, `witness none ${x2.text}\n`],
  ["policy_name_taken", 2, `${w1}group X1 all X1\n`],
  ["policy_group", 2, `${w1}group g all\n`],
  ["policy_threshold", 2, `${w1}group g 0 X1\n`],
  ["policy_threshold", 2, `${w1}group g 2 X1\n`],
  ["policy_threshold", 2, `${w1}group g 01 X1\n`],
  ["policy_threshold", 2, `${w1}group g most X1\n`],
  ["policy_name_unknown", 2, `${w1}group g all none\n`],
  ["policy_name_unknown", 2, `${w1}group g all g\n`],
  ["policy_member_twice", 2, `${w1}group g 1 X1 X1\n`],
  ["policy_member_twice", 3, `${w1}group g all X1\ngroup h all X1\n`],
])("a malformed policy is refused as %s at line %i", (code, line, policy) => {
  expect(parsePolicy(policy)).toMatchObject({ ok: false, code, message: expect.stringContaining(`line ${line}: `) });
});

test("no text makes the policy parser throw, and what it takes has a text of its own", () => {
  const words = fc.constantFrom("log", "witness", "group", "quorum", "none", "any", "all", "1", "2", "a", "b", "X", x1.text, x2.text, log.text, "\n", "\n", "\n", " ", "\t", "#", "é", "\ud800");
  const garbage = fc.oneof(fc.string(), fc.array(words, { maxLength: 40 }).map((parts) => `${parts.join(" ")}\n`));
  fc.assert(
    fc.property(garbage, (policy) => {
      const read = parsePolicy(policy);
      expect(read.ok ? parsePolicy(formatPolicy(read.value)) : read).toEqual(read);
    }),
    { numRuns: 500 },
  );
  expect(parsePolicy(`${"# ".repeat(1_000_000)}\n`)).toMatchObject({ code: "policy_too_large" });
  expect(parsePolicy(`quorum none\n${Array.from({ length: 101 }, (_, seed) => `log ${ed25519Signer("l.example", seed).text}\n`).join("")}`)).toMatchObject({ code: "policy_too_large" });
});

test("more witnesses never turn a met quorum into an unmet one", () => {
  const names = ["X1", "X2", "X3", "Y1", "Y2"];
  const policy = valid(parsePolicy(example));
  fc.assert(
    fc.property(fc.subarray(names), fc.subarray(names), (some, more) => {
      expect(checkQuorum(policy, some) && !checkQuorum(policy, [...some, ...more])).toBe(false);
      const byHand = some.filter((name) => name.startsWith("X")).length >= 2 && some.some((name) => name.startsWith("Y"));
      expect(checkQuorum(policy, some)).toBe(byHand);
    }),
  );
});

const policyOf = (quorum: string): WitnessPolicy => valid(parsePolicy(example.replace("quorum X-and-Y", `quorum ${quorum}`)));

test("the verdict says who has cosigned and when, who has not, and whether that is enough", async () => {
  const policy = valid(parsePolicy(example));
  const note = formatNote(text, [log.line(text), await x1.line(text, someTime + 3), await x3.line(text), await y2.line(text)]);
  expect(await verifyWitnesses(note, policy)).toEqual({
    ok: true,
    value: {
      quorum: "met",
      witnessed: [
        { name: "X1", cosigner: "x1.example", type: "ed25519-cosignature", timestamp: someTime + 3 },
        { name: "X3", cosigner: "x3.example", type: "ml-dsa-44", timestamp: someTime },
        { name: "Y2", cosigner: "y2.example", type: "ed25519-cosignature", timestamp: someTime },
      ],
      unsupported: [],
      absent: ["X2", "Y1"],
    },
  });
});

test("a cosignature that this platform cannot check counts for nothing", async () => {
  const note = formatNote(text, [log.line(text), await x1.line(text), await x3.line(text), await y2.line(text)]);
  const verdict = await verifyWitnesses(note, valid(parsePolicy(example)), noMlDsa);
  expect(verdict).toMatchObject({ ok: true, value: { quorum: "not-met", unsupported: ["X3"], absent: ["X2", "Y1"] } });
  expect(await verifyByPolicy(note, valid(parsePolicy(example)), noMlDsa)).toMatchObject({ code: "witness_quorum", message: expect.stringContaining("1 more cannot be checked") });
});

test("without cosignatures no quorum is met, and where none is required none is called met", async () => {
  const bare = formatNote(text, [log.line(text)]);
  expect(await verifyWitnesses(bare, policyOf("Y1"))).toMatchObject({ ok: true, value: { quorum: "not-met", witnessed: [] } });
  const signed = formatNote(text, [log.line(text), await y1.line(text)]);
  expect(await verifyWitnesses(signed, policyOf("none"))).toMatchObject({ ok: true, value: { quorum: "none-required", witnessed: [{ name: "Y1" }] } });
});

test("a wrong signature of a known witness sinks the checkpoint, one of a stranger does not", async () => {
  const elsewhere = formatCheckpoint({ origin, size: 6, root: new Uint8Array(32) });
  const wrong = formatNote(text, [log.line(text), await y1.line(text), await x2.line(elsewhere)]);
  expect(await verifyWitnesses(wrong, policyOf("Y1"))).toMatchObject({ code: "note_signature_wrong" });
  const stranger = cosigner("stranger.example", "ed25519-cosignature");
  const beside = formatNote(text, [log.line(text), await y1.line(text), await stranger.line(elsewhere)]);
  expect(await verifyWitnesses(beside, policyOf("Y1"))).toMatchObject({ ok: true, value: { quorum: "met" } });
});

test("a policy's own logs are those whose checkpoints it takes", async () => {
  const note = formatNote(text, [log.line(text), await y1.line(text)]);
  expect(await verifyByPolicy(note, policyOf("Y1"))).toMatchObject({ ok: true, value: { origin, size: 5, witnesses: { quorum: "met" } } });
  expect(await verifyByPolicy(note, policyOf("Y2"))).toMatchObject({ code: "witness_quorum" });
  expect(await verifyByPolicy(formatNote(text, [await y1.line(text)]), policyOf("Y1"))).toMatchObject({ code: "note_signature_missing" });
  const other = formatCheckpoint({ origin: "log.example/two", size: 5, root: new Uint8Array(32) });
  expect(await verifyByPolicy(formatNote(other, [log.line(other), await y1.line(other)]), policyOf("Y1"))).toMatchObject({ code: "log_unknown" });
});

test("extension lines that only an ml-dsa-44 key could have signed are not passed on, because it does not sign them", async () => {
  const policy = valid(parsePolicy(`log ${pqLog.text}\nquorum none\n`));
  const extended = `${text}extension\n`;
  expect(await verifyByPolicy(formatNote(extended, [await pqLog.line(text)]), policy)).toMatchObject({ ok: true, value: { size: 5, extensions: [] } });
  const both = valid(parsePolicy(`log ${pqLog.text}\nlog ${log.text}\nquorum none\n`));
  expect(await verifyByPolicy(formatNote(extended, [log.line(extended), await pqLog.line(text)]), both)).toMatchObject({ ok: true, value: { extensions: ["extension"] } });
});
