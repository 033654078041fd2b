/**
 * The processes on the disk whose power goes: `work SUBJECT DIRECTORY RUN UPSTREAM` tells what it acknowledges, line by
 * line, until it is killed; `check SUBJECT DIRECTORY SEEN` answers with one line of JSON.
 */
import { readFileSync } from "node:fs";
import { tell } from "../../../packages/licet/src/ledger/kill-told.ts";
import type { Seen } from "./subject.ts";
import { subjectNamed } from "./subjects.ts";

const [mode, name = "", directory = "", third = "", upstream = ""] = process.argv.slice(2);

if (mode === "work") {
  await subjectNamed(name).work({ directory, run: third, upstream }, {
    ready: (more = "") => tell(`ready ${more}`),
    acknowledged: (key, value) => tell(`a ${key} ${value}`),
    checkpoint: (note) => tell(`c ${Buffer.from(note).toString("base64")}`),
  });
} else {
  const seen: Seen = JSON.parse(readFileSync(third, "utf8"));
  const finding = await subjectNamed(name).check(directory, seen).catch((error: unknown) => ({ unopenable: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }));
  tell(JSON.stringify(finding));
  process.exit(0);
}
