import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { endpointRows, endpoints, expectedOf, measureEndpoint } from "./matrix/endpoints.ts";
import { measureStore, storeColumns, storeExpected, storeRows } from "./matrix/files.ts";
import { measure, type Row } from "./matrix/measure.ts";
import { expected, page, sections, type Measured } from "./matrix/page.ts";
import { openPlace, type Place } from "./matrix/place.ts";
import { columns, surfaces, type Column } from "./matrix/surfaces.ts";

const root = join(import.meta.dirname, "..", "..");
const file = join(root, "docs", "gateway-table.md");
const rows: readonly Row[] = sections.flatMap((section) => section.rows);
const places: Place[] = [];
const mistaken: string[] = [];
const measured: Measured = { cells: new Map(), others: new Map(), stored: new Map(), fewFiles: new Map() };

beforeAll(async () => {
  places.push(...(await Promise.all([...columns.map(({ surface }) => surface), ...surfaces.slice(0, 1), ...surfaces.slice(0, 1)].map(openPlace))));
});

afterAll(async () => {
  await Promise.all(places.map((place) => place[Symbol.asyncDispose]()));
});

/** The table is in the order of the cases, whoever is first. */
for (const row of rows) measured.cells.set(row, new Map());
for (const row of endpointRows) measured.others.set(row, new Map());
for (const row of storeRows) measured.stored.set(row, new Map());

interface Cell {
  readonly title: string;
  readonly expected: string;
  readonly run: () => Promise<string>;
}

/** What differs from what should be; all of a column at once. */
async function wrong(cells: readonly Cell[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const cell of cells) {
    const happened = await cell.run().catch((error: unknown) => String(error));
    if (happened !== cell.expected) found.push(`${cell.title}: ${happened}, and not ${cell.expected}`);
  }
  mistaken.push(...found);
  return found;
}

function cellsOf(place: Place, column: Column): readonly Cell[] {
  return rows.flatMap((row) => {
    const cell = expected(row, column);
    const run = async () => {
      const happened = await measure(place, row, column);
      measured.cells.get(row)?.set(column, happened);
      return happened;
    };
    return cell === undefined ? [] : [{ title: row.title, expected: cell, run }];
  });
}

describe("every case on every surface", () => {
  test.concurrent.each(columns.map((column, at) => ({ title: column.title, column, at })))("$title", { timeout: 120_000 }, async ({ column, at }) => {
    expect(await wrong(cellsOf(places[at] as Place, column))).toEqual([]);
  });

  test.concurrent("endpoints that call no model", async () => {
    const place = places.at(-2) as Place;
    const cells = endpointRows.flatMap((row) =>
      endpoints.map((endpoint): Cell => ({
        title: `${row.title}, ${endpoint.title}`,
        expected: expectedOf(row, endpoint),
        run: async () => {
          const happened = await measureEndpoint(place, row, endpoint);
          measured.others.get(row)?.set(endpoint, happened);
          return happened;
        },
      })),
    );
    expect(await wrong(cells)).toEqual([]);
  });

  test.concurrent("files and batches", { timeout: 120_000 }, async () => {
    const place = places.at(-1) as Place;
    const cells = storeRows.flatMap((row) =>
      storeColumns.flatMap((column): readonly Cell[] => {
        const cell = storeExpected(row, column);
        const run = async () => {
          const happened = await measureStore(place, row, column);
          measured.stored.get(row)?.set(column, happened);
          return happened;
        };
        return cell === undefined ? [] : [{ title: `${row.title}, ${column.title}`, expected: cell, run }];
      }),
    );
    expect(await wrong(cells)).toEqual([]);
  });

  test.skipIf(process.platform === "win32").concurrent("out of file descriptors", { timeout: 60_000 }, async () => {
    const child = join(import.meta.dirname, "matrix", "few-files.ts");
    const { stdout } = await promisify(execFile)("/bin/sh", ["-c", 'ulimit -n 96 && exec "$0" --conditions=source "$1"', process.execPath, child], { cwd: root });
    const seen = JSON.parse(stdout) as { readonly before: number; readonly without: string; readonly after: number; readonly received: number; readonly allowed: number; readonly outcomes: number };
    measured.fewFiles.set("before", String(seen.before)).set("a call on a connection that is there already", seen.without).set("a call after connections were given back", String(seen.after));
    expect(seen).toMatchObject({ before: 200, without: expect.stringMatching(/^50[23] /u), after: 200, governed: true, healthy: true, failures: [] });
    expect(seen.outcomes).toBe(seen.allowed);
  });
});

test("what was recorded of all of them is taken into the database", async () => {
  const [place] = places;
  const { database } = (place as Place).installation;
  const { count } = await database.read.selectFrom("decision").select((each) => each.fn.countAll<number>().as("count")).executeTakeFirstOrThrow();
  expect(count).toBeGreaterThan(50);
});

test("docs/gateway-table.md is what was measured; else run this test with LICET_WRITE_DOCS=1", () => {
  const now = page(measured);
  if (process.env["LICET_WRITE_DOCS"] === "1" && mistaken.length === 0) writeFileSync(file, now);
  expect(readFileSync(file, "utf8")).toBe(now);
});
