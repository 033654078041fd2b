import type { CheckResult } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { checkResult } from "../../../../test/unit/support/run-check.ts";
import { catalogue } from "../checks/catalogue.ts";
import { languageChecks } from "./bad-endpoint-fixture.ts";
import { type Exception, fileFaults, isOpen, modelFaults, type Row, rows, tableFaults } from "./bad-input-fixture.ts";

const personalData = (cell: string) => (cell.includes("@") ? ["email"] : []);

function run({ check }: Row, contents: Row["good"]): Promise<CheckResult> {
  return checkResult(check, contents, "s", { personalData });
}

/** A word where a result is not what it may be. */
function wrongness(result: CheckResult, except: Exception | undefined): string | undefined {
  const { verdict, reason = "" } = result;
  const allowed = isOpen(result) || verdict === except?.[0] || (except?.[0] === "any" && verdict !== "errored");
  return allowed ? undefined : `${verdict} ${reason}`;
}

interface Spoilt {
  readonly what: string;
  readonly contents: Row["good"];
  readonly except?: Exception | undefined;
}

/** What is left over when each spoilt input has been tried: nothing, if all went as it must. */
async function wrongOnes(row: Row, spoilt: readonly Spoilt[]): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const { what, contents, except } of spoilt) {
    const found = wrongness(await run(row, contents), except);
    if (found !== undefined) wrong.push(`${what}: ${found}`);
  }
  return wrong;
}

function* spoiltTables({ tables = [], good, except = {} }: Row): Generator<Spoilt> {
  const exceptions = new Map(Object.entries(except));
  const sets = [...tables.map((name) => [name]), ...(tables.length > 1 ? [tables] : [])];
  for (const [fault, spoil] of Object.entries(tableFaults)) {
    for (const names of sets) yield { what: `${fault} in ${names.join(" and ")}`, contents: { ...good, ...Object.fromEntries(names.map((name) => [name, spoil(String(good[name]))])) }, except: exceptions.get(fault) };
  }
}

function* spoiltFiles(row: Row, { names = [], faults, except }: { readonly names: readonly string[] | undefined; readonly faults: Readonly<Record<string, Uint8Array>>; readonly except: Exception | undefined }): Generator<Spoilt> {
  for (const [fault, bytes] of Object.entries(faults)) for (const name of names) yield { what: `${fault} as ${name}`, contents: { ...row.good, [name]: bytes }, except };
}

const cases = rows.map((row, at) => ({ name: `${row.check.check} (${at + 1})`, row }));

describe("bad input", () => {
  test("every check of the catalogue has a row", () => {
    expect(new Set([...rows.map(({ check }) => check.check), ...languageChecks.map(({ check }) => check)])).toEqual(new Set(catalogue.map(({ check }) => check)));
  });

  test.each(cases)("$name: good input gives what it should, so that what follows is due to the fault alone", async ({ row }) => {
    expect((await run(row, row.good)).verdict).toBe(row.gives ?? "pass");
  });

  test.each(cases.filter(({ row }) => row.tables !== undefined))("$name: no fault of a table is a pass, or an error without a code", async ({ row }) => {
    expect(await wrongOnes(row, [...spoiltTables(row)])).toEqual([]);
  });

  test.each(cases.filter(({ row }) => row.models !== undefined))("$name: no file in the place of a model is a pass, or an error without a code", async ({ row }) => {
    expect(await wrongOnes(row, [...spoiltFiles(row, { names: row.models, faults: modelFaults, except: row.unanswerable })])).toEqual([]);
  });

  test.each(cases.filter(({ row }) => row.files !== undefined))("$name: no file of another kind is a pass, or an error without a code", async ({ row }) => {
    expect(await wrongOnes(row, [...spoiltFiles(row, { names: row.files, faults: fileFaults, except: row.damaged })])).toEqual([]);
  });
});
