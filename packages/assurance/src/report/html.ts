import { type CheckResult, servedWords, type SuiteReport } from "@licet/contract";
import { style } from "./html-style.ts";
import { intervalSvg } from "./interval-svg.ts";
import { escapedXml } from "./markup.ts";
import { attemptOf, decidingBound, figure, reuseOf, summaryOf, verdicts, verdictWords, whyOf, wornOut } from "./words.ts";

export interface ReportTitle {
  /** Of the system, as the manifest has it. */
  readonly system: string;
  readonly title?: string | undefined;
}

/** One page that needs nothing else: to be read, printed and signed. Everything in it that comes from data is escaped. */
export function htmlReport(report: SuiteReport, { system, title }: ReportTitle): string {
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
<p class="reading">Each check is held against its limit by the bound of its interval, not by the estimate: <b>pass</b> when the bound lies on the right side, <b>fail</b> when the opposite bound lies on the wrong one, <b>insufficient</b> when the data cannot tell. Insufficient is not a pass.</p>
${wornOut(report.results).map((line) => `<p class="why">Warning: ${escapedXml(line)}.</p>`).join("\n")}
${overview(report)}
${report.results.map(section).join("\n")}
</main>
${footer(report)}
</body>
</html>
`;
}

function overview({ results }: SuiteReport): string {
  const rows = results.map((result) => {
    const bound = decidingBound(result);
    const figures = [result.estimate === null ? "—" : figure(result.estimate), bound === undefined ? "—" : figure(bound), limitOf(result)];
    return `<tr><td><a href="#${escapedXml(result.id)}">${escapedXml(result.label ?? result.id)}</a></td><td>${chip(result.verdict)}</td>${figures.map((each) => `<td class="number">${each}</td>`).join("")}</tr>`;
  });
  return `<table><thead><tr><th>Check</th><th>Verdict</th><th class="number">Estimate</th><th class="number">Bound</th><th class="number">Limit</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function chip(verdict: CheckResult["verdict"]): string {
  return `<span class="chip ${verdict}">${verdictWords[verdict]}</span>`;
}

function limitOf({ limit: { op, value } }: CheckResult): string {
  return `${op === "<=" ? "≤" : "≥"} ${value}`;
}

function section(result: CheckResult): string {
  const why = whyOf(result);
  return `<section id="${escapedXml(result.id)}">
<h2>${escapedXml(result.label ?? result.id)} ${chip(result.verdict)}</h2>
<p class="unit">${escapedXml(result.unit)}</p>
${intervalSvg(result)}
${why === undefined ? "" : `<p class="why">${escapedXml(why)}</p>`}
${result.notes.length === 0 ? "" : `<ul>${result.notes.slice(0, notesMax).map((note) => `<li>${escapedXml(note)}</li>`).join("")}</ul>`}
${facts(result)}
<details><summary>What the verdict follows from</summary><pre>${escapedXml(JSON.stringify(result.basis, null, 1).slice(0, basisCharactersMax))}</pre></details>
</section>`;
}

const notesMax = 50;
const basisCharactersMax = 20_000;

function facts(result: CheckResult): string {
  const { counts, interval, subject, inputs, attempt, cost } = result;
  const rows: readonly (readonly [string, string])[] = [
    ["Kind of check", `${result.check}, version ${result.checkVersion}`],
    ["Counted", `${counts.assessed} of ${counts.attempted} assessed${counts.unassessed > 0 ? `, ${counts.unassessed} without an answer` : ""}`],
    ["Interval", interval === null ? "none" : `${interval.method}, ${interval.sides === 1 ? "one-sided" : "two-sided"} ${figure(interval.level * 100)} %: ${side(interval.lower)} to ${side(interval.upper)}`],
    ["Tested", `${subject.kind} ${subject.id} ${subject.digest ?? "(not read)"}`],
    ...(subject.served === undefined ? [] : [["Endpoint", servedWords(subject.served)] as const]),
    ...inputs.map((input) => [`Data: ${input.role}`, `${input.id}, ${input.rows} rows, ${input.digest}`] as const),
    ["Attempt", attemptOf(result)],
    ...(attempt.previous.length === 0 ? [] : [["Attempts before", attempt.previous.join(", ")] as const]),
    ...reuseOf(result).map(({ id, text }) => [`Use of ${id}`, text] as const),
    ["Cost", `${cost.queries} queries, ${figure(cost.wallMs / 1000)} s`],
  ];
  return `<dl>${rows.map(([name, value]) => `<dt>${escapedXml(name)}</dt><dd>${escapedXml(value)}</dd>`).join("")}</dl>`;
}

function side(bound: number | null): string {
  return bound === null ? "open" : figure(bound);
}

function footer({ engine, seed, startedAt, finishedAt, results }: SuiteReport): string {
  const legend = verdicts.filter((verdict) => results.some((result) => result.verdict === verdict)).map(chip).join(" ");
  return `<footer>
<p>${legend}</p>
<p>Run from ${escapedXml(startedAt)} to ${escapedXml(finishedAt)}, seed <code>${escapedXml(seed)}</code>, engine ${escapedXml(`${engine.name} ${engine.version}`)} <code>${escapedXml(engine.digest)}</code>. Every verdict can be derived again from the figures that it follows from.</p>
<table class="signatures"><tbody><tr><td>Prepared by, date</td><td>Reviewed by, date</td><td>Risk accepted by, date</td></tr></tbody></table>
</footer>`;
}
