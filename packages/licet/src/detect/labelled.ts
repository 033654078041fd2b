import { parseJson } from "@licet/evidence";
import { z } from "zod";
import type { Match } from "./detector.ts";

/** One labelled text, as corpus/README.md says. */
const Line = z.strictObject({
  text: z.string().min(1).max(20_000),
  spans: z.array(z.strictObject({ type: z.string(), value: z.string().min(1) })),
  note: z.string().optional(),
});

export interface LabelledText {
  readonly text: string;
  /** Where each labelled value stands. */
  readonly spans: readonly Match[];
  readonly note: string;
}

/** Reads lines of JSON. Throws what a line is wrong with, by its number. */
export function readLabelled(jsonl: string): readonly LabelledText[] {
  return jsonl.split("\n").flatMap((line, index) => (line.trim() === "" ? [] : [labelled(line, index + 1)]));
}

function labelled(line: string, number: number): LabelledText {
  const parsed = Line.safeParse(parse(line));
  if (!parsed.success) throw new Error(`line ${number} is not in its form: ${parsed.error.issues[0]?.message ?? ""}`);
  const text = joined(parsed.data.text);
  const after = new Map<string, number>();
  const spans = parsed.data.spans.map(({ type, value }) => {
    const said = joined(value);
    const key = `${type} ${said}`;
    const start = text.indexOf(said, after.get(key) ?? 0);
    if (start < 0) throw new Error(`line ${number}: the value \`${said.slice(0, 80)}\` does not stand in the text`);
    after.set(key, start + said.length);
    return { type, start, end: start + said.length };
  });
  return { text, spans, note: parsed.data.note ?? "" };
}

function parse(line: string): unknown {
  try {
    return parseJson(line);
  } catch {
    return undefined;
  }
}

/** Secrets stand in files in parts, so that no scanner takes a file for a leak. */
function joined(text: string): string {
  return text.replaceAll(/⟦([^⟦⟧]*)⟧/gu, (_, parts: string) => parts.replaceAll("|", ""));
}

export interface Score {
  readonly type: string;
  /** Labelled values, and how many of them were found. */
  readonly labelled: number;
  readonly found: number;
  /** Findings, and how many of them are right. */
  readonly findings: number;
  readonly right: number;
}

/** Owned by `scores`. */
interface Counts {
  labelled: number;
  found: number;
  findings: number;
  right: number;
}

/** Counts by type: a finding and a span of one type belong together where they overlap. */
export function scores(texts: readonly LabelledText[], scan: (text: string) => readonly Match[]): readonly Score[] {
  const counts = new Map<string, Counts>();
  const of = (type: string): Counts => {
    const count = counts.get(type) ?? { labelled: 0, found: 0, findings: 0, right: 0 };
    counts.set(type, count);
    return count;
  };
  for (const { text, spans } of texts) {
    const matches = scan(text);
    const meets = (one: Match, others: readonly Match[]) => others.some((other) => other.type === one.type && one.start < other.end && other.start < one.end);
    for (const span of spans) {
      of(span.type).labelled++;
      if (meets(span, matches)) of(span.type).found++;
    }
    for (const match of matches) {
      of(match.type).findings++;
      if (meets(match, spans)) of(match.type).right++;
    }
  }
  return [...counts].map(([type, count]) => ({ type, ...count }));
}

/** Wilson's interval (1927) of a share, at 95 %: from and to. */
export function wilson(hits: number, all: number): readonly [number, number] {
  if (all === 0) return [0, 1];
  const z2 = 1.959964 ** 2;
  const share = hits / all;
  const middle = (share + z2 / (2 * all)) / (1 + z2 / all);
  const half = (1.959964 * Math.sqrt((share * (1 - share)) / all + z2 / (4 * all * all))) / (1 + z2 / all);
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}
