import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeFrame, encodeFrame, type Frame, frameBytes } from "./frame.ts";
import { decodeSegmentHeader, encodeSegmentHeader, scanSegment, segmentHeaderBytes } from "./segment.ts";

const bytes = (min: number, max: number) => fc.uint8Array({ minLength: min, maxLength: max });
const frames = fc.array(fc.record({ leaf: bytes(1, 50), payload: bytes(0, 80) }), { minLength: 1, maxLength: 12 });

/** A segment with these batches, and zeros behind as the writer leaves them. */
function segmentOf(batches: readonly { readonly number: number; readonly frames: readonly Frame[]; readonly cut?: boolean }[], zeros = 64): Buffer {
  const all = batches.flatMap(({ number, frames, cut }) => frames.map((frame, n) => ({ frame, batch: number, last: n === frames.length - 1 && !cut })));
  const body = Buffer.alloc(all.reduce((sum, { frame }) => sum + frameBytes(frame), 0) + zeros);
  let at = 0;
  for (const { frame, batch, last } of all) at = encodeFrame(body, frame, { at, batch, last });
  return Buffer.concat([encodeSegmentHeader(7), body]);
}

function scan(source: Buffer, newest = true) {
  const seen: Frame[] = [];
  const result = scanSegment(source, { segment: "s", newest, firstBatch: 1, visit: (frame) => seen.push({ leaf: frame.leaf, payload: frame.payload }) });
  return { ...result, seen };
}

const frame = (text: string): Frame => ({ leaf: Buffer.from(text.padEnd(30, ".")), payload: Buffer.alloc(20, 5) });
const batch = (number: number, count: number) => ({ number, frames: Array.from({ length: count }, (_, n) => frame(`${number}/${n}`)) });

test("a frame comes back as it was written, and no shortened or changed one is taken", () => {
  fc.assert(
    fc.property(bytes(1, 200), bytes(0, 300), fc.tuple(fc.nat(), fc.boolean(), fc.nat()), (leaf, payload, [number, last, where]) => {
      const target = Buffer.alloc(frameBytes({ leaf, payload }));
      encodeFrame(target, { leaf, payload }, { at: 0, batch: number, last });
      const back = decodeFrame(target, 0);
      expect(back).toMatchObject({ batch: number, last, end: target.length });
      expect([Buffer.from(back?.leaf ?? []), Buffer.from(back?.payload ?? [])]).toEqual([Buffer.from(leaf), Buffer.from(payload)]);
      expect(decodeFrame(target.subarray(0, where % target.length), 0)).toBeUndefined();
      target[where % target.length] = (target[where % target.length] ?? 0) ^ (1 << (where % 8));
      expect(decodeFrame(target, 0)).toBeUndefined();
    }),
  );
});

test("all frames of a segment are seen in order, whatever the batches", () => {
  fc.assert(
    fc.property(fc.array(frames, { maxLength: 5 }), (batches) => {
      const source = segmentOf(batches.map((list, n) => ({ number: n + 1, frames: list })));
      const { count, torn, nextBatch, seen } = scan(source);
      expect({ count, torn, nextBatch }).toEqual({ count: batches.flat().length, torn: false, nextBatch: batches.length + 1 });
      expect(seen.map(({ leaf }) => Buffer.from(leaf))).toEqual(batches.flat().map(({ leaf }) => Buffer.from(leaf)));
    }),
  );
});

test("a header that was changed is none", () => {
  const header = encodeSegmentHeader(123_456_789_012);
  expect(decodeSegmentHeader(header)).toBe(123_456_789_012);
  for (let at = 0; at < 20; at += 1) {
    const changed = Buffer.from(header);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(decodeSegmentHeader(changed)).toBeUndefined();
  }
});

describe("a broken frame", () => {
  const size = frameBytes(frame(""));
  const breakFrame = (source: Buffer, n: number) => {
    const at = segmentHeaderBytes + n * size + 20;
    source[at] = (source[at] ?? 0) ^ 1;
    return source;
  };
  const damaged = expect.objectContaining({ code: "log_damaged" });

  test("in the last batch is a torn write, with whatever of that batch stands behind it", () => {
    expect(scan(breakFrame(segmentOf([batch(1, 3), batch(2, 4)]), 4))).toMatchObject({ count: 4, torn: true, nextBatch: 4 });
    expect(scan(breakFrame(segmentOf([batch(1, 3), batch(2, 4)]), 3))).toMatchObject({ count: 3, torn: true, nextBatch: 2 });
    expect(scan(breakFrame(segmentOf([batch(1, 4)]), 0))).toMatchObject({ count: 0, torn: true, nextBatch: 1 });
  });

  test("before a later batch is damage: that batch was written after this one was acknowledged", () => {
    for (const n of [0, 1, 2]) expect(() => scan(breakFrame(segmentOf([batch(1, 3), batch(2, 1)]), n))).toThrow(damaged);
    expect(() => scan(breakFrame(segmentOf([batch(1, 1), batch(2, 2), batch(3, 1)]), 2))).toThrow(damaged);
  });

  test("right behind a batch that a crash had shortened is a torn write as well", () => {
    const shortened = { ...batch(1, 2), cut: true };
    const { nextBatch } = scan(segmentOf([shortened]));
    const source = segmentOf([shortened, batch(nextBatch, 3)]);
    expect(scan(source)).toMatchObject({ count: 5, torn: false });
    expect(scan(breakFrame(source, 2))).toMatchObject({ count: 2, torn: true });
  });

  test("in a finished segment is damage always", () => {
    expect(() => scan(breakFrame(segmentOf([batch(1, 3)]), 2), false)).toThrow(damaged);
  });
});
