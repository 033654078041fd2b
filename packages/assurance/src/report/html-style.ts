/** Of the report: light and dark, and on paper. */
export const style = `
:root{--ink:#1b1f24;--soft:#5b6570;--line:#d5dae0;--paper:#fff;--pass:#14713d;--fail:#b3261e;--open:#8a5a00;--good:#e8f4ec}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#a2abb5;--line:#3a424b;--paper:#15181c;--pass:#67c58a;--fail:#f2938c;--open:#e3b458;--good:#1c2f24}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:56rem;padding:2rem 1.25rem 4rem;font:16px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
h1{margin:0;font-size:1.9rem;line-height:1.2}
h2{margin:0;font-size:1.2rem}
.kind,.unit,dt,.reading{color:var(--soft)}
.kind,.unit{margin:0}
.verdict{display:inline-block;margin:1rem 0 0;padding:.25rem .9rem;border:2px solid;border-radius:.4rem;font-size:1.25rem;font-weight:650}
.chip{display:inline-block;padding:0 .55rem;border:1px solid;border-radius:1rem;font-size:.82rem;font-weight:600;vertical-align:middle}
.pass{color:var(--pass)}.fail{color:var(--fail)}.errored,.insufficient_evidence{color:var(--open)}.not_applicable{color:var(--soft)}
table{width:100%;margin:1.5rem 0;border-collapse:collapse}
th,td{padding:.4rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
a{color:inherit}
section{margin:1.5rem 0;padding:1.1rem 1.25rem;border:1px solid var(--line);border-radius:.6rem;break-inside:avoid}
svg{display:block;width:100%;max-width:40rem;margin:.8rem 0}
svg text{fill:var(--soft);font-size:12px}
svg .axis{stroke:var(--line);stroke-width:1}
svg .limit{stroke:var(--ink);stroke-width:2;stroke-dasharray:4 3}
svg .good{fill:var(--good)}
svg .interval{stroke:currentColor;stroke-width:4}
svg .end{stroke:currentColor;stroke-width:2}
svg circle{fill:currentColor}
.why{font-weight:600}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:.8rem 0;font-size:.88rem}
dd{margin:0;overflow-wrap:anywhere}
pre{max-height:24rem;overflow:auto;font-size:.78rem}
code{overflow-wrap:anywhere}
footer{margin-top:2rem;padding-top:1rem;border-top:1px solid var(--line);font-size:.88rem;color:var(--soft)}
.signatures td{height:5rem;overflow-wrap:anywhere;width:33%;border:1px solid var(--line);vertical-align:bottom}
main>h2{margin-top:1.75rem}
.steps{padding-left:1.2rem}.steps li{margin:.4rem 0}.steps .do{display:block}
.step{margin:.8rem 0;padding:.4rem .7rem;border-left:3px solid var(--open)}
.advisory{color:var(--soft)}
@media(max-width:40rem){
body{padding:1.25rem 1rem 3rem}
dl{grid-template-columns:1fr}dt{margin-top:.4rem}
.overview thead{display:none}
.overview tr{display:grid;grid-template-columns:repeat(3,1fr);padding:.6rem 0;border-bottom:1px solid var(--line)}
.overview td{padding:.1rem 0;border:0;overflow-wrap:anywhere}
.overview td:nth-child(-n+2){grid-column:1/-1}
.overview .number{text-align:left}
.overview .number::before{content:attr(data-name) " ";color:var(--soft);font-size:.8rem}
svg text{font-size:20px}
}
@media print{body{max-width:none;padding:0}details{display:none}}
`;
