/**
 * Precision and recall of each detector on labelled texts, with intervals of 95 % (Wilson).
 *
 *   node --conditions=source scripts/evaluate-detectors.ts FILE… [--misses] [--json]
 *   node --conditions=source scripts/evaluate-detectors.ts --docs [--check]
 *
 * The form of a file: packages/licet/src/detect/corpus/README.md. `--misses` prints what was missed and what was
 * found wrongly; `--docs` writes the table of docs/detectors.md from the sets in the repository, each by itself, `--check` only compares.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { builtinDetectors } from "../packages/licet/src/detect/builtin.ts";
import { readLabelled, scores, wilson, type LabelledText, type Score } from "../packages/licet/src/detect/labelled.ts";
import { builtinScanner } from "../packages/licet/src/detect/scanner.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const corpus = `${root}packages/licet/src/detect/corpus`;
const page = `${root}docs/detectors.md`;
const { values, positionals } = parseArgs({ allowPositionals: true, options: { misses: { type: "boolean" }, json: { type: "boolean" }, docs: { type: "boolean" }, check: { type: "boolean" } } });
/** What the detectors were made with, and what somebody wrote who has not seen them. */
const sets = ["synthetic", "independent"].map((name) => `${corpus}/${name}.jsonl`);
const files = values.docs === true ? sets : positionals;
if (files.length === 0) throw new Error("name at least one file of labelled texts");
const read = (file: string) => readLabelled(readFileSync(file, "utf8"));
const order = builtinDetectors.flatMap(({ types }) => types.map(({ type }) => type));
const scored = (texts: readonly LabelledText[]) => withTotal(scores(texts, (text) => builtinScanner.scan(text)).toSorted((a, b) => order.indexOf(a.type) - order.indexOf(b.type)));

function withTotal(all: readonly Score[]): readonly Score[] {
  const sum = (pick: (score: Score) => number) => all.reduce((total, score) => total + pick(score), 0);
  return [...all, { type: "all", labelled: sum((score) => score.labelled), found: sum((score) => score.found), findings: sum((score) => score.findings), right: sum((score) => score.right) }];
}

function percent(hits: number, of: number): string {
  if (of === 0) return "–";
  const [low, high] = wilson(hits, of);
  return `${((100 * hits) / of).toFixed(1)} (${(100 * low).toFixed(0)}–${(100 * high).toFixed(0)})`;
}

function row({ type, labelled, found, findings, right }: Score): string {
  return `| \`${type}\` | ${labelled} | ${percent(found, labelled)} | ${findings} | ${percent(right, findings)} |`;
}

function table(all: readonly Score[]): string {
  return ["| type | labelled | recall, % | findings | precision, % |", "|---|---|---|---|---|", ...all.map(row)].join("\n");
}

/** One line for each type, the sets beside each other. */
function sideBySide([own, other]: readonly (readonly Score[])[]): string {
  const cells = (all: readonly Score[] | undefined, type: string) => {
    const score = all?.find((each) => each.type === type);
    return score === undefined ? "– | – | –" : `${score.labelled} | ${percent(score.found, score.labelled)} | ${percent(score.right, score.findings)}`;
  };
  const lines = [...order, "all"].map((type) => `| \`${type}\` | ${cells(other, type)} | ${cells(own, type)} |`);
  return ["| type | independent set: labelled | recall, % | precision, % | own set: labelled | recall, % | precision, % |", "|---|---|---|---|---|---|---|", ...lines].join("\n");
}

function misses({ text, spans, note }: LabelledText): readonly string[] {
  const matches = builtinScanner.scan(text);
  const lacks = (from: typeof spans, other: typeof spans) => from.filter((one) => !other.some((each) => each.type === one.type && each.start < one.end && one.start < each.end));
  const said = (mark: string) => (one: (typeof spans)[number]) => `${mark} ${one.type}: ${JSON.stringify(text.slice(one.start, one.end).slice(0, 80))} in ${JSON.stringify(text.slice(Math.max(0, one.start - 40), one.end + 20))} ${note}`;
  return [...lacks(spans, matches).map(said("missed")), ...lacks(matches, spans).map(said("wrong "))];
}

const begin = "<!-- detectors: begin -->";
const end = "<!-- detectors: end -->";
if (values.docs === true) {
  const before = readFileSync(page, "utf8");
  const after = `${before.slice(0, before.indexOf(begin) + begin.length)}\n${sideBySide(sets.map((file) => scored(read(file))))}\n${before.slice(before.indexOf(end))}`;
  if (values.check !== true) writeFileSync(page, after);
  else if (before !== after) throw new Error("docs/detectors.md is not what the detectors come to: run scripts/evaluate-detectors.ts --docs");
} else {
  const texts = files.flatMap(read);
  if (values.json === true) console.log(JSON.stringify(scored(texts)));
  else {
    if (values.misses === true) console.log(texts.flatMap(misses).join("\n"));
    console.log(`${texts.length} texts\n${table(scored(texts))}`);
  }
}
