/**
 * What detection costs: a short prompt read by every detector, a long conversation that repeats its past with every
 * turn, and a streamed answer piece by piece.
 *
 *   node --conditions=source bench/detect.ts [--quick]
 *
 * The last line of the output is one JSON object: `shortPromptUs` (200 B of prose), `shortNumbersUs` (200 B with a number
 * and an address in it), `turnMs` (400 KB in 40 messages of which one is new), `firstTurnMs` (all new), `pieceUs` (one
 * piece of a streamed answer in prose).
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { Placeholders } from "../packages/licet/src/gateway/detect/placeholders.ts";
import { defaultRules, detectionOf } from "../packages/licet/src/gateway/detect/rules.ts";
import { scanCall } from "../packages/licet/src/gateway/detect/scan-call.ts";
import { textFilter } from "../packages/licet/src/gateway/detect/text-filter.ts";

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const rounds = values.quick ? 5 : 21;
const boundary = ["public", "internal", "confidential", "personal"];
const words = "the order of our customer was sent on time and nobody has asked for it since then although the box had been left open near a window".split(" ");

function prose(bytes: number): string {
  let text = "";
  while (text.length < bytes) text += `${words[randomInt(words.length)] ?? "a"}${randomInt(12) === 0 ? ". " : " "}`;
  // As a string of a parsed body is: in one piece.
  const whole: unknown = JSON.parse(JSON.stringify(text.slice(0, bytes)));
  return String(whole);
}

/** Processor time of this process for one of `count`, in microseconds: the median of the rounds. */
function cost(count: number, run: (index: number) => void): number {
  const taken = Array.from({ length: rounds }, () => {
    const before = process.cpuUsage();
    for (let i = 0; i < count; i++) run(i);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / count;
  });
  return taken.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0;
}

function scan(texts: readonly string[], rules = defaultRules): void {
  scanCall({ rules, boundary, texts: texts.map((text) => ({ text, fixed: false })), placeholders: new Placeholders() });
}

const shorts = Array.from({ length: 512 }, () => prose(200));
const numbers = shorts.map((text, index) => `${text.slice(0, 150)} order 20${index} write to jo${index}@example.com`);
const turn = 10_000;
const conversation = Array.from({ length: 39 }, () => prose(turn));
const short = cost(20_000, (i) => scan([shorts[i % 512] ?? ""]));
const withNumbers = cost(20_000, (i) => scan([numbers[i % 512] ?? ""]));
scan(conversation);
const news = Array.from({ length: 60 * rounds }, () => prose(turn));
let next = 0;
const repeated = cost(50, () => scan([...conversation, news[next++] ?? ""]));
const fresh = cost(2, () => scan(conversation.map((text) => `${text}${randomInt(1e9)}`), detectionOf(undefined).rules("bench")));
const pieces = prose(8000).match(/.{1,5}/gu) ?? [];
const piece = cost(20, () => {
  const filter = textFilter({ rules: defaultRules, boundary, placeholders: new Placeholders(), found: new Map() });
  for (const each of pieces) filter.push(each);
  filter.finish();
});
const result = { shortPromptUs: short, shortNumbersUs: withNumbers, turnMs: repeated / 1000, firstTurnMs: fresh / 1000, pieceUs: piece / pieces.length };
console.log(JSON.stringify(Object.fromEntries(Object.entries(result).map(([key, value]) => [key, Math.round(value * 1000) / 1000]))));
