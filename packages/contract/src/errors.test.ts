import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { errors } from "./errors.ts";
import type { ErrorTable } from "./errors/table.ts";

const folder = new URL("./errors/", import.meta.url);
const areas = readdirSync(folder).filter((name) => name.endsWith(".ts") && name !== "table.ts");

async function tableOf(name: string): Promise<ErrorTable> {
  const module: Record<string, ErrorTable> = await import(new URL(name, folder).href);
  const [table] = Object.values(module);
  if (table === undefined) throw new Error(`${name} exports no table`);
  return table;
}

test("no code is defined in two areas: one would silently stand for the other", async () => {
  const codes = (await Promise.all(areas.map(tableOf))).flatMap((table) => Object.keys(table));
  expect(codes.filter((code, at) => codes.indexOf(code) !== at)).toEqual([]);
  expect(new Set(codes)).toEqual(new Set(Object.keys(errors)));
});

test("every code says what, why and how to fix, in the house style", () => {
  for (const [code, info] of Object.entries(errors)) {
    expect(code).toMatch(/^[a-z][a-z0-9_]*$/u);
    const wrong = [info.what, info.why, info.fix].filter((text) => !/^(?:[^A-Z]|[A-Z]{2}).*[^.\s]$/su.test(text));
    expect({ code, wrong, status: info.status >= 400 }).toEqual({ code, wrong: [], status: true });
  }
});
