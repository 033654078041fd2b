import type { JsonValue } from "../../../packages/licet/src/ledger/recorder.ts";
import type { Chance } from "./chance.ts";

const odd: readonly JsonValue[] = [null, true, -1, 1e308, "", "\u0000", "__proto__", [], {}, [[[]]], "constructor", 2 ** 53];

interface Place {
  readonly holder: Record<string, JsonValue> | JsonValue[];
  readonly key: string | number;
}

function placesOf(value: JsonValue, into: Place[] = []): readonly Place[] {
  if (typeof value !== "object" || value === null) return into;
  const holder = value as Record<string, JsonValue> | JsonValue[];
  for (const key of Array.isArray(holder) ? holder.keys() : Object.keys(holder)) {
    into.push({ holder, key });
    placesOf((holder as Record<string | number, JsonValue>)[key] ?? null, into);
  }
  return into;
}

/** The value with one to three things in it changed; `word` may come in as a value or a key. */
export function mutatedValue(chance: Chance, value: JsonValue, word: string): JsonValue {
  const next = structuredClone(value);
  for (let left = 1 + chance.below(3); left > 0; left--) {
    const places = placesOf(next);
    if (places.length > 0) mutateAt(chance, chance.one(places), word);
  }
  return next;
}

function mutateAt(chance: Chance, { holder, key }: Place, word: string): void {
  const own = holder as Record<string | number, JsonValue>;
  const value = own[key] ?? null;
  const ways: readonly (() => void)[] = [
    () => (Array.isArray(holder) ? void holder.splice(Number(key), 1) : void delete own[key]),
    () => void (own[key] = chance.one(odd)),
    () => void (own[key] = [value]),
    () => void (own[key] = { [chance.one(["text", "type", "content", "x"])]: value }),
    () => (Array.isArray(holder) ? void holder.push(structuredClone(value)) : void (own[`${key}_2`] = structuredClone(value))),
    () => void (own[key] = typeof value === "string" ? `${value} ${word}` : word),
    () => (Array.isArray(holder) ? void holder.reverse() : void (own[word] = value)),
    () => void (own[key] = typeof value === "number" ? chance.one([value + 1, -value, value / 3, 4097]) : JSON.stringify(value).slice(0, 40)),
    () => void (own[key] = nested(value, chance.one([3, 70, 200]))),
  ];
  chance.one(ways)();
}

function nested(value: JsonValue, depth: number): JsonValue {
  let out = value;
  for (let i = 0; i < depth; i++) out = { a: out };
  return out;
}

const splices: readonly Buffer[] = [Buffer.from([0]), Buffer.from([0xff]), Buffer.from([0xc3, 0x28]), Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from("\r"), Buffer.from("\n\n"), Buffer.from("{"), Buffer.from('"'), Buffer.from("\\"), Buffer.from("\\ud83d"), Buffer.from("data: "), Buffer.from(",,")];

/** The bytes with a few places changed. */
export function mutatedBytes(chance: Chance, bytes: Buffer): Buffer {
  let next = bytes;
  for (let left = 1 + chance.below(3); left > 0 && next.length > 0; left--) {
    const at = chance.below(next.length);
    const length = 1 + chance.below(chance.maybe(0.8) ? 4 : 400);
    const [before, cut, after] = [next.subarray(0, at), next.subarray(at, at + length), next.subarray(at + length)];
    const ways: readonly (() => Buffer)[] = [
      () => Buffer.concat([before, after]),
      () => Buffer.concat([before, cut, cut, after]),
      () => Buffer.concat([before, chance.one(splices), cut, after]),
      () => before,
      () => Buffer.concat([before, Buffer.from(cut.map((byte) => byte ^ (1 << chance.below(8)))), after]),
    ];
    next = chance.one(ways)();
  }
  return next;
}

/** The list with things lost, said twice or out of order. */
export function mutatedList<T>(chance: Chance, list: readonly T[]): T[] {
  const next = [...list];
  for (let left = 1 + chance.below(3); left > 0 && next.length > 1; left--) {
    const at = chance.below(next.length);
    const [one] = next.splice(at, 1);
    const way = chance.below(4);
    if (one === undefined || way === 0) continue;
    if (way === 1) next.splice(at, 0, one, one);
    else next.splice(chance.below(next.length), 0, one);
    if (way === 3) next.length = Math.max(1, chance.below(next.length));
  }
  return next;
}
