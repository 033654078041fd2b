import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { exitCodes, reportFailure } from "./failure.ts";
import { processTerminal } from "./terminal.ts";

it("a path that the system refuses is named with a code and what to do", () => {
  const folder = mkdtempSync(join(tmpdir(), "licet-failure-"));
  const tries: readonly [string, () => unknown][] = [
    ["file_unreadable", () => readFileSync(join(folder, "nothing"))],
    ["file_unreadable", () => writeFileSync(join(folder, "nothing", "x"), "")],
    ["file_unreadable", () => readFileSync(folder)],
    ["already_exists", () => writeFileSync(join(folder, "there"), "", { flag: "wx" })],
  ];
  writeFileSync(join(folder, "there"), "");
  const said: string[] = [];
  const codes = tries.map(([, open]) => {
    try {
      return open();
    } catch (error) {
      return reportFailure({ ...processTerminal, colour: false, err: (text) => void said.push(text) }, error);
    }
  });
  rmSync(folder, { recursive: true });
  expect(codes).toEqual(tries.map(() => exitCodes.couldNotRun));
  expect(said.map((text) => /error\[(\w+)\]: \S[\s\S]*\n {2}fix: \S/u.exec(text)?.[1])).toEqual(tries.map(([code]) => code));
});
