import { textOf } from "./read.ts";
import { inconsistent, requireEqual, unfinished, unreadable } from "./refusal.ts";
import type { ReadReport } from "./report.ts";

const found = /^(.{1,4096}): (dangerous|suspicious) import '(.{1,2000})' FOUND$/u;
const total = /^(Scanned files|Infected files|Suspicious globals|Dangerous globals|Scan errors): (\d{1,9})$/u;

/**
 * picklescan's text output. The run ended when its summary stands there. Every `dangerous import` line is counted again; files that could
 * not be parsed are unassessed. The scanner leaves files out by their extension and does not say which, so its output alone cannot say that
 * a folder is clean: the number of files has to be known (`rows`). Source: picklescan `src/picklescan/cli.py`, `scanner.py`.
 */
export function readPicklescan(bytes: Uint8Array, files?: number): ReadReport {
  const lines = textOf(bytes).split(/\r?\n/u);
  const marker = lines.findIndex((line) => /^-+ SCAN SUMMARY -+$/u.test(line.trim()));
  if (marker < 0) throw unfinished("there is no scan summary: the output was cut off, or is not that of picklescan");
  const totals = totalsOf(lines.slice(marker + 1));
  const body = lines.slice(0, marker);
  const hits = body.map((line) => found.exec(line.trim())).filter((match) => match !== null);
  const dangerous = hits.filter(([, , kind]) => kind === "dangerous");
  const infected = new Set(dangerous.map(([, file]) => file)).size;
  requireEqual("dangerous globals", totals["Dangerous globals"], dangerous.length);
  requireEqual("infected files", totals["Infected files"], infected);
  const scanned = totals["Scanned files"] ?? 0;
  if (infected > scanned) throw inconsistent("more files are infected than were scanned");
  const failed = body.filter((line) => /^(?:ERROR|WARNING): /u.test(line)).length;
  const suspicious = totals["Suspicious globals"] ?? 0;
  const notLooked = files === undefined ? 1 : Math.max(0, files - scanned);
  return {
    tool: "picklescan",
    toolVersion: null,
    items: [
      {
        kind: "census",
        id: "files",
        n: scanned,
        violations: infected,
        unassessed: failed + notLooked,
        complete: true,
        evidence: "assertions",
        found: { scanned, infected, suspicious, dangerous: dangerous.length, "could not be read": failed },
      },
    ],
    notes: files === undefined ? ["picklescan leaves files out by their extension: without the number of files this cannot pass"] : [],
  };
}

function totalsOf(lines: readonly string[]): Readonly<Record<string, number>> {
  const totals: Record<string, number> = {};
  for (const line of lines) {
    const [, name, value] = total.exec(line.trim()) ?? [];
    if (name === undefined) continue;
    if (totals[name] !== undefined) throw inconsistent(`${name.toLowerCase()} stand twice in the summary`);
    totals[name] = Number(value);
  }
  for (const name of ["Scanned files", "Infected files", "Dangerous globals"]) if (totals[name] === undefined) throw unreadable(`the summary has no line \`${name}\``);
  return totals;
}
