import type { PackManifest, Sequence } from "../pack.ts";
import type { ProvedEntry } from "./entries.ts";
import { count, fail, pass, verdict, type Finding } from "./report.ts";

/** Where the pack says that its decisions are complete: no number of a gateway is missing, twice, or beyond the range. */
export function checkDecisions(entries: readonly ProvedEntry[], manifest: PackManifest): readonly Finding[] {
  if (manifest.decisions === "selected") {
    return [pass("decision", "the export holds selected decisions and claims no completeness: nothing follows from one that is not in it")];
  }
  const failures = [...beyond(entries, manifest), ...manifest.sequences.flatMap((sequence) => checkSequence(sequence, entries))];
  const ranges = manifest.sequences.map(({ gateway, from, to }) => `\`${gateway}\` ${from} to ${to}`).join(", ");
  const total = manifest.sequences.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  const sentence = total === 0 ? "the export says that there was no numbered decision" : `${count(total, "numbered record")} of decisions and their outcomes without a gap: ${ranges}; a call that got no number cannot be seen in a log`;
  return verdict(failures, pass("decision", sentence));
}

function beyond(entries: readonly ProvedEntry[], { sequences }: PackManifest): readonly Finding[] {
  return entries.flatMap(({ index, leaf }) => {
    if (leaf.seq === undefined) return [];
    const inRange = sequences.some(({ gateway, from, to }) => gateway === leaf.gateway && from <= (leaf.seq ?? -1) && (leaf.seq ?? -1) <= to);
    return inRange ? [] : [fail("decision", "decision_beyond", `entry ${index} has number ${leaf.seq} of \`${leaf.gateway ?? ""}\`, outside what the pack claims`)];
  });
}

function checkSequence(sequence: Sequence, entries: readonly ProvedEntry[]): readonly Finding[] {
  const failures: Finding[] = [];
  const numbers = new Map<number, ProvedEntry>();
  for (const entry of entries) {
    const { gateway, seq } = entry.leaf;
    if (gateway !== sequence.gateway || seq === undefined) continue;
    const first = numbers.get(seq);
    if (first !== undefined) failures.push(fail("decision", "decision_twice", `\`${gateway}\` number ${seq} stands in entries ${first.index} and ${entry.index}`));
    numbers.set(seq, entry);
  }
  return [...failures, ...gaps(sequence, numbers)];
}

function gaps({ gateway, from, to }: Sequence, numbers: ReadonlyMap<number, ProvedEntry>): readonly Finding[] {
  const present = [...numbers.keys()].filter((seq) => from <= seq && seq <= to).sort((left, right) => left - right);
  const failures: Finding[] = [];
  let expected = from;
  for (const seq of [...present, to + 1]) {
    if (seq > expected) {
      const missing = seq - 1 === expected ? `number ${expected} is` : `numbers ${expected} to ${seq - 1} are`;
      failures.push(fail("decision", "decision_missing", `\`${gateway}\`: ${missing} not in the export`));
    }
    expected = seq + 1;
  }
  return failures;
}
