import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { detect, detectors } from "./detect.ts";
import { scanner } from "./scanner.ts";

const every = new Set(detectors.map(({ type }) => type));

const digits = fc.constantFrom("4111111111111111", "5500 0000 0000 0004", "3400-0000-0000-009", "4111-1111-1111-1111");
const secret = fc.oneof(
  digits,
  fc.tuple(fc.stringMatching(/^[a-z0-9._%+-]{1,70}$/u), fc.stringMatching(/^[a-z0-9]{1,20}$/u)).map(([local, host]) => `${local}@${host}.com`),
  fc.stringMatching(/^(AKIA|ASIA)[A-Z0-9]{16}$/u),
  fc.stringMatching(/^sk-[A-Za-z0-9_-]{20,60}$/u),
  fc.constantFrom("-----BEGIN PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----", "-----BEGIN ENCRYPTED PRIVATE KEY-----"),
);
/** Text that is made of what the detectors look at, so that near misses are common. */
const noise = fc.string({ unit: fc.constantFrom("a", "k", "s", "-", "@", ".", " ", "1", "4", "AKIA", "sk-", "-----BEGIN ", "\n", "é", "4111 "), maxLength: 60 });

interface Feed {
  readonly text: string;
  readonly cuts: readonly number[];
}

const feed = (text: fc.Arbitrary<string>): fc.Arbitrary<Feed> =>
  fc.record({ text, cuts: fc.array(fc.nat({ max: 400 }), { maxLength: 12 }) });

function pieces({ text, cuts }: Feed): readonly string[] {
  const places = [0, ...cuts.map((cut) => cut % (text.length + 1)), text.length].sort((a, b) => a - b);
  return places.slice(1).map((end, i) => text.slice(places[i], end));
}

/** Everything that ever left, and the most that was held back at once. */
function run(fed: Feed, blocks: ReadonlySet<string> = every) {
  const found = new Map<string, number>();
  const scan = scanner({ blocks, found });
  let held = 0;
  for (const piece of pieces(fed)) {
    scan.push(piece);
    held = Math.max(held, scan.blocked ? 0 : scan.length - scan.safe);
  }
  scan.finish();
  return { left: fed.text.slice(0, scan.safe), blocked: scan.blocked, found, held };
}

function firstMatch(text: string): number {
  return Math.min(...detectors.flatMap((detector) => detector.matches(text).map(({ start }) => start)));
}

describe("a scanned stream", () => {
  test("nothing of a match leaves, however the text is split", () => {
    fc.assert(
      fc.property(feed(fc.tuple(noise, secret, noise).map((parts) => parts.join(" "))), (fed) => {
        const { left, blocked } = run(fed);
        expect(blocked).toBe(true);
        expect(left.length).toBeLessThanOrEqual(firstMatch(fed.text));
      }),
      { numRuns: 2000 },
    );
  });

  test("it blocks exactly what the whole text would have shown", () => {
    fc.assert(
      fc.property(feed(noise), (fed) => {
        const { left, blocked } = run(fed);
        expect(blocked).toBe(detect([fed.text]).size > 0);
        expect(blocked || left === fed.text).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  test("what may leave leaves whole and is counted once", () => {
    const apart = fc.array(secret, { minLength: 1, maxLength: 4 }).map((secrets) => `. ${secrets.join(" ; ")} .`);
    fc.assert(
      fc.property(feed(apart), (fed) => {
        const { left, found } = run(fed, new Set());
        expect(left).toBe(fed.text);
        expect(found).toEqual(detect([fed.text]));
      }),
      { numRuns: 1000 },
    );
  });

  test("what is held back is bounded, whatever the text", () => {
    fc.assert(
      fc.property(feed(fc.string({ unit: fc.constantFrom("a", "1", "-", "@", "."), minLength: 500, maxLength: 2000 })), (fed) => {
        expect(run(fed).held).toBeLessThan(400);
      }),
    );
  });

  test("a long number is not taken for a card because it was split where it looks like one", () => {
    const fed = { text: "id 411111111111111112345678 ok", cuts: [19] };
    const { left, blocked } = run(fed);
    expect([left, blocked]).toEqual([fed.text, false]);
  });

  test("plain words leave with the next space", () => {
    const scan = scanner({ blocks: every, found: new Map() });
    scan.push("Turn it off ");
    expect(scan.safe).toBe(12);
  });
});

describe("a detector", () => {
  test.each([
    ["email", "jo@example.com", true],
    ["email", "jörg@exämple.de", true],
    ["email", "@example.com", false],
    ["email", "jo@example", false],
    ["email", "a @ b.com", false],
    ["card-number", "4111 1111 1111 1111", true],
    ["card-number", "4111111111111112", false],
    ["card-number", "41111111111111111111111", false],
    ["card-number", "12 4111111111111111 12", true],
    ["card-number", "9111111111111111", false],
    ["aws-access-key", "AKIAIOSFODNN7EXAMPLE", true],
    ["aws-access-key", "xAKIAIOSFODNN7EXAMPLE", false],
    ["api-key", "sk-proj-abcdefghijklmnop", true],
    ["api-key", "task-abcdefghijklmnopqrstuvwxyz", false],
    ["private-key", "-----BEGIN OPENSSH PRIVATE KEY-----", true],
    ["private-key", "-----BEGIN PUBLIC KEY-----", false],
  ])("%s in `%s`: %s", (type, text, expected) => {
    expect(detect([text]).has(type)).toBe(expected);
  });

  test("reads a megabyte of its worst text in linear time", () => {
    for (const text of ["@".repeat(1e6), "a".repeat(1e6), "4 ".repeat(5e5), "1".repeat(1e6), "-----BEGIN ".repeat(9e4), "a@".repeat(5e5), "a.".repeat(5e5), "sk-".repeat(3e5)]) {
      const before = performance.now();
      detect([text]);
      expect(performance.now() - before).toBeLessThan(2500);
    }
  });
});
