import { intervalScale, type CheckResult } from "@licet/contract";
import { escapedXml } from "./markup.ts";
import { figure } from "./words.ts";

const [width, height, left, right, axis] = [640, 62, 12, 12, 30] as const;

/** So near to an end, the limit's label takes that end's place. */
const labelMargin = 0.18;

/** Estimate, interval and limit on one line; the side of the limit that passes is shaded. Empty without an interval to look at. */
export function intervalSvg(result: CheckResult): string {
  const scale = intervalScale(result);
  if (scale === undefined || result.interval?.method === "census") return "";
  const x = (place: number) => Math.round((left + place * (width - left - right)) * 10) / 10;
  const [lower, upper, estimate, limit] = [x(scale.lower), x(scale.upper), x(scale.estimate), x(scale.limit)];
  const below = result.limit.op === "<=";
  const [from, to] = below ? [left, limit] : [limit, width - right];
  const said = `estimate ${figure(result.estimate ?? 0)}, limit ${result.limit.op} ${result.limit.value}`;
  return `<svg class="${result.verdict}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapedXml(said)}">
<rect class="good" x="${from}" y="${axis - 16}" width="${Math.max(0, to - from)}" height="32"/>
<line class="axis" x1="${left}" y1="${axis}" x2="${width - right}" y2="${axis}"/>
<line class="limit" x1="${limit}" y1="${axis - 18}" x2="${limit}" y2="${axis + 18}"/>
<line class="interval" x1="${lower}" y1="${axis}" x2="${upper}" y2="${axis}"/>
<line class="end" x1="${lower}" y1="${axis - 7}" x2="${lower}" y2="${axis + 7}"/>
<line class="end" x1="${upper}" y1="${axis - 7}" x2="${upper}" y2="${axis + 7}"/>
<circle cx="${estimate}" cy="${axis}" r="6"/>
<text x="${left}" y="${height - 2}">${scale.limit < labelMargin ? "" : figure(scale.from)}</text>
<text x="${limit}" y="${height - 2}" text-anchor="${anchor(scale.limit)}">limit ${result.limit.value}</text>
<text x="${width - right}" y="${height - 2}" text-anchor="end">${scale.limit > 1 - labelMargin ? "" : figure(scale.to)}</text>
</svg>`;
}

function anchor(place: number): "start" | "middle" | "end" {
  if (place < labelMargin) return "start";
  return place > 1 - labelMargin ? "end" : "middle";
}
