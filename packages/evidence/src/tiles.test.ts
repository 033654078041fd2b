import fc from "fast-check";
import { expect, test } from "vitest";
import { toHex } from "./bytes.ts";
import { entriesPath, formatEntryBundle, parseEntryBundle, parseTile, parseTilePath, tilePath, tilesTouched, tileWidth, tileWidthAt } from "./tiles.ts";

test("paths are those of C2SP tlog-tiles", () => {
  expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe("tile/0/x001/x234/067");
  expect(tilePath({ level: 1, index: 0, width: 17 })).toBe("tile/1/000.p/17");
  expect(entriesPath(273, 112)).toBe("tile/entries/273.p/112");
});

test("a tree of 70,000 has the tiles that C2SP tlog-tiles counts", () => {
  const tiles = tilesTouched(0, 70_000);
  const count = (level: number, full: boolean): number => tiles.filter((tile) => tile.level === level && (tile.width === tileWidth) === full).length;
  expect([count(0, true), count(0, false), count(1, true), count(1, false), count(2, false)]).toEqual([273, 1, 1, 1, 1]);
  expect(tiles.filter((tile) => tile.width < tileWidth).map((tile) => tile.width)).toEqual([112, 17, 1]);
  expect(tilesTouched(0, 256).map((tile) => [tile.level, tile.width])).toEqual([[0, 256], [1, 1]]);
});

test("growing a tree in two steps touches every tile whose width changed, and no other", () => {
  fc.assert(
    fc.property(fc.nat({ max: 200_000 }), fc.nat({ max: 200_000 }), (a, b) => {
      const [from, size] = [Math.min(a, b), Math.max(a, b)];
      const touched = new Set(tilesTouched(from, size).map(tilePath));
      for (const tile of tilesTouched(0, size)) {
        const before = tileWidthAt({ ...tile, size: from });
        expect(touched.has(tilePath(tile))).toBe(before !== tile.width);
      }
    }),
    { numRuns: 30 },
  );
});

test("parsing a path gives the tile back; anything else is refused", () => {
  fc.assert(
    fc.property(fc.record({ level: fc.oneof(fc.nat({ max: 63 }), fc.constant("entries" as const)), index: fc.nat(), width: fc.integer({ min: 1, max: 256 }) }), (tile) => {
      expect(parseTilePath(tilePath(tile))).toEqual({ ok: true, value: tile });
    }),
  );
  for (const path of ["tile/64/000", "tile/00/000", "tile/0/0", "tile/0/x000/001", "tile/0/000.p/256", "tile/0/000.p/0", "tile/0/000.p/01", "tile/0/../000", "/tile/0/000", "tile/0/x9/000", ""]) {
    expect(parseTilePath(path).ok).toBe(false);
  }
  fc.assert(fc.property(fc.string(), (path) => !parseTilePath(path).ok));
});

test("a bundle gives its entries back, and is refused when cut, lengthened or read for another width", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 20 }), (entries) => {
      const bundle = formatEntryBundle(entries);
      const again = parseEntryBundle(bundle, entries.length);
      expect(again.ok && again.value.map(toHex)).toEqual(entries.map(toHex));
      expect(parseEntryBundle(bundle.subarray(0, -1), entries.length).ok).toBe(false);
      expect(parseEntryBundle(Uint8Array.of(...bundle, 0), entries.length).ok).toBe(false);
      expect(parseEntryBundle(bundle, entries.length + 1).ok).toBe(false);
      expect(parseEntryBundle(bundle, entries.length - 1).ok).toBe(false);
    }),
  );
  expect(formatEntryBundle([new Uint8Array(65_535)])).toHaveLength(65_537);
  expect(() => formatEntryBundle([new Uint8Array(65_536)])).toThrow(RangeError);
});

test("a tile has exactly 32 bytes for each of its hashes", () => {
  expect(parseTile(new Uint8Array(64), 2).ok).toBe(true);
  expect(parseTile(new Uint8Array(63), 2).ok).toBe(false);
  expect(parseTile(new Uint8Array(0), 1).ok).toBe(false);
});
