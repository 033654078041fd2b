import { type CheckResult, interpreterWords, servedWords, type SuiteReport } from "@licet/contract";
import { style } from "./html-style.ts";
import { intervalSvg } from "./interval-svg.ts";
import { escapedXml } from "./markup.ts";
import { attemptOf, decidingBound, figure, nextStepOf, reuseOf, summaryOf, verdictWords, whyOf, wornOut } from "./words.ts";

export interface ReportTitle {
  /** Of the system, as the manifest has it. */
  readonly system: string;
  readonly title?: string | undefined;
  /** Ids of checks that are reported and not demanded. */
  readonly advisory?: ReadonlySet<string> | undefined;
}

/** One page that needs nothing else: to be read, printed and signed. Everything in it that comes from data is escaped. */
export function htmlReport(report: SuiteReport, { system, title, advisory = new Set() }: ReportTitle): string {
  const heading = escapedXml(title ?? system);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Assurance report: ${heading}</title>
<style>${style}</style>
</head>
<body>
<header>
<p class="kind">Assurance report</p>
<h1>${heading}</h1>
<p class="verdict ${report.verdict}">${verdictWords[report.verdict]}</p>
<p>${escapedXml(summaryOf(report.results))}. ${report.release === null ? "This was practice: it is no evidence, no attempt was spent, and nothing of it counts." : `Release <code>${escapedXml(report.release)}</code>.`}</p>
</header>
<main>
<p class="reading">Each check is held against its limit by the bound of its interval, not by the estimate: <b>pass</b> when the bound lies on the right side, <b>fail</b> when the opposite bound lies on the wrong one, <b>insufficient</b> when the data cannot tell. Insufficient is not a pass.${advisory.size === 0 ? "" : " What is <b>advisory</b> is reported, and no gate demands it."}</p>
${wornOut(report.results).map((line) => `<p class="why">Warning: ${escapedXml(line)}.</p>`).join("\n")}
${leftToDo(report, advisory)}
${overview(report, advisory)}
${report.results.map((result) => section(result, { advisory, counted: report.release !== null })).join("\n")}
</main>
${footer(report)}
</body>
</html>
`;
}

/** What stands between this report and a pass, with the next step of each. */
function leftToDo({ results }: SuiteReport, advisory: ReadonlySet<string>): string {
  const steps = results.flatMap((result) => {
    const step = advisory.has(result.id) || result.reason === "advisory" ? undefined : nextStepOf(result);
    return step === undefined ? [] : [`<li><a href="#${escapedXml(result.id)}">${escapedXml(result.label ?? result.id)}</a> ${chip(result.verdict)}<span class="do">${prose([whyOf(result), step].filter((each) => each !== undefined).join("; "))}</span></li>`];
  });
  return steps.length === 0 ? "" : `<h2>What is left to do</h2><ul class="steps">${steps.join("")}</ul>`;
}

/** A sentence whose names stand between backticks. */
function prose(text: string): string {
  return escapedXml(text).replaceAll(/`([^`]+)`/gu, "<code>$1</code>");
}

const overviewColumns = ["Check", "Verdict", "Estimate", "Bound", "Limit"] as const;

function overview({ results }: SuiteReport, advisory: ReadonlySet<string>): string {
  const rows = results.map((result) => {
    const bound = decidingBound(result);
    const figures = [result.estimate === null ? "—" : figure(result.estimate), bound === undefined ? "—" : figure(bound), limitOf(result)];
    return `<tr><td><a href="#${escapedXml(result.id)}">${escapedXml(result.label ?? result.id)}</a></td><td>${chips(result, advisory)}</td>${figures.map((each, at) => `<td class="number" data-name="${overviewColumns[at + 2] ?? ""}">${each}</td>`).join("")}</tr>`;
  });
  return `<h2>All checks</h2><table class="overview"><thead><tr>${overviewColumns.map((name, at) => (at < 2 ? `<th>${name}</th>` : `<th class="number">${name}</th>`)).join("")}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function chips(result: CheckResult, advisory: ReadonlySet<string>): string {
  return `${chip(result.verdict)}${advisory.has(result.id) ? ' <span class="chip advisory">advisory</span>' : ""}`;
}

function chip(verdict: CheckResult["verdict"]): string {
  return `<span class="chip ${verdict}">${verdictWords[verdict]}</span>`;
}

function limitOf({ limit: { op, value } }: CheckResult): string {
  return `${op === "<=" ? "≤" : "≥"} ${value}`;
}

interface Shown {
  readonly advisory: ReadonlySet<string>;
  /** Practice is no attempt. */
  readonly counted: boolean;
}

function section(result: CheckResult, { advisory, counted }: Shown): string {
  const [why, step] = [whyOf(result), nextStepOf(result)];
  return `<section id="${escapedXml(result.id)}">
<h2>${escapedXml(result.label ?? result.id)} ${chips(result, advisory)}</h2>
<p class="unit">${escapedXml(result.unit)}</p>
${intervalSvg(result)}
${why === undefined ? "" : `<p class="why">${prose(why)}</p>`}
${result.notes.length === 0 ? "" : `<ul>${result.notes.slice(0, notesMax).map((note) => `<li>${prose(note)}</li>`).join("")}</ul>`}
${step === undefined ? "" : `<p class="step"><b>Next:</b> ${prose(step)}.</p>`}
${facts(result, counted)}
<details><summary>What the verdict follows from</summary><pre>${escapedXml(JSON.stringify(result.basis, null, 1).slice(0, basisCharactersMax))}</pre></details>
</section>`;
}

const notesMax = 50;
const basisCharactersMax = 20_000;

function facts(result: CheckResult, counted: boolean): string {
  const { counts, interval, subject, inputs, attempt, cost } = result;
  const rows: readonly (readonly [string, string])[] = [
    ["Kind of check", `${result.check}, version ${result.checkVersion}`],
    ["Counted", `${counts.assessed} of ${counts.attempted} assessed${counts.unassessed > 0 ? `, ${counts.unassessed} without an answer` : ""}`],
    ["Interval", interval === null ? "none" : `${interval.method}, ${interval.sides === 1 ? "one-sided" : "two-sided"} ${figure(interval.level * 100)} %: ${side(interval.lower)} to ${side(interval.upper)}`],
    ["Tested", `${subject.kind} ${subject.id} ${subject.digest ?? "(not read)"}`],
    ...(subject.served === undefined ? [] : [["Endpoint", servedWords(subject.served)] as const]),
    ...(subject.interpreter === undefined ? [] : [["Interpreter", interpreterWords(subject.interpreter)] as const]),
    ...inputs.map((input) => [`Data: ${input.role}`, `${input.id}, ${input.rows} rows, ${input.digest}`] as const),
    ["Attempt", counted ? attemptOf(result) : `none: practice, judged at alpha ${figure(attempt.alphaSpent)}`],
    ...(attempt.previous.length === 0 ? [] : [["Attempts before", attempt.previous.join(", ")] as const]),
    ...reuseOf(result).map(({ id, text }) => [`Use of ${id}`, text] as const),
    ["Cost", `${cost.queries} queries, ${figure(cost.wallMs / 1000)} s`],
  ];
  return `<dl>${rows.map(([name, value]) => `<dt>${escapedXml(name)}</dt><dd>${escapedXml(value)}</dd>`).join("")}</dl>`;
}

function side(bound: number | null): string {
  return bound === null ? "open" : figure(bound);
}

function footer({ engine, seed, startedAt, finishedAt }: SuiteReport): string {
  return `<footer>
<p>Run from ${escapedXml(startedAt)} to ${escapedXml(finishedAt)}, seed <code>${escapedXml(seed)}</code>, engine ${escapedXml(`${engine.name} ${engine.version}`)} <code>${escapedXml(engine.digest)}</code>. Every verdict can be derived again from the figures that it follows from.</p>
<table class="signatures"><tbody><tr><td>Prepared by, date</td><td>Reviewed by, date</td><td>Risk accepted by, date</td></tr></tbody></table>
</footer>`;
}
