import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bootstrapIndices, permutation, Random, randomFrom } from "./random.ts";

const mask = (1n << 64n) - 1n;
const rotl = (value: bigint, by: bigint) => ((value << by) | (value >> (64n - by))) & mask;

/** The published C source of xoshiro256**, word for word on big integers. */
function* published(seed: readonly bigint[]): Generator<bigint> {
  const s = [...seed] as [bigint, bigint, bigint, bigint];
  for (;;) {
    yield (rotl((s[1] * 5n) & mask, 7n) * 9n) & mask;
    const t = (s[1] << 17n) & mask;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45n);
  }
}

describe("xoshiro256**", () => {
  test("gives the published first values of the state 1, 2, 3, 4", () => {
    const random = new Random(Uint32Array.of(0, 1, 0, 2, 0, 3, 0, 4));
    const words = Array.from({ length: 10 }, () => {
      const [high, low] = random.bits();
      return (BigInt(high) << 32n) | BigInt(low);
    });
    expect(words).toEqual([
      11520n, 0n, 1509978240n, 1215971899390074240n, 1216172134540287360n,
      607988272756665600n, 16172922978634559625n, 8476171486693032832n, 10595114339597558777n, 2904607092377533576n,
    ]);
  });

  test("equals the published algorithm on every state", () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 1n, max: mask }), { minLength: 4, maxLength: 4 }), (seed) => {
        const random = new Random(Uint32Array.from(seed.flatMap((word) => [Number(word >> 32n), Number(word & 0xff_ff_ff_ffn)])));
        const reference = published(seed);
        for (let draw = 0; draw < 20; draw += 1) {
          const [high, low] = random.bits();
          expect((BigInt(high) << 32n) | BigInt(low)).toBe(reference.next().value);
        }
      }),
    );
  });
});

describe("numbers from a seed", () => {
  test("are the same for the same seed and others for another", () => {
    const draw = (seed: string) => Array.from({ length: 5 }, ((random) => () => random.uniform())(randomFrom(seed)));
    expect(draw("a")).toEqual(draw("a"));
    expect(draw("a")).not.toEqual(draw("b"));
  });

  test("stay below the bound and reach every value equally often", () => {
    const random = randomFrom("below");
    for (const n of [1, 2, 7, 2_097_152, 2_097_153, 3_000_000_000, 9_007_199_254_740_992]) {
      for (let draw = 0; draw < 200; draw += 1) {
        const value = random.below(n);
        expect(Number.isInteger(value) && value >= 0 && value < n, `${value} below ${n}`).toBe(true);
      }
    }
    const counts = [0, 0, 0, 0, 0, 0];
    for (let draw = 0; draw < 60_000; draw += 1) {
      const face = random.below(6);
      counts[face] = (counts[face] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  });

  test("are uniform and normal in mean and spread", () => {
    const random = randomFrom("moments");
    const moments = (draw: () => number) => {
      let [sum, squares] = [0, 0];
      for (let index = 0; index < 100_000; index += 1) {
        const value = draw();
        sum += value;
        squares += value * value;
      }
      return { mean: sum / 100_000, square: squares / 100_000 };
    };
    const flat = moments(() => random.uniform());
    const bell = moments(() => random.normal());
    expect(Math.abs(flat.mean - 0.5)).toBeLessThan(0.004);
    expect(Math.abs(flat.square - 1 / 3)).toBeLessThan(0.004);
    expect(Math.abs(bell.mean)).toBeLessThan(0.015);
    expect(Math.abs(bell.square - 1)).toBeLessThan(0.02);
  });

  test("reorder without losing a value, every order about equally often", () => {
    const seen = new Map<string, number>();
    const random = randomFrom("orders");
    for (let round = 0; round < 6000; round += 1) {
      const order = permutation(random, 3).join("");
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    expect([...seen.keys()].toSorted()).toEqual(["012", "021", "102", "120", "201", "210"]);
    for (const count of seen.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  test("draw with replacement from all rows", () => {
    const drawn = bootstrapIndices(randomFrom("rows"), new Uint32Array(10_000));
    expect(new Set(drawn).size).toBeGreaterThan(6100);
    expect(new Set(drawn).size).toBeLessThan(6550);
    expect(Math.max(...bootstrapIndices(randomFrom("rows"), new Uint32Array(100), 3))).toBe(2);
  });
});
