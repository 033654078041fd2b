import { intervalScale, type CheckFigures, type RecordedCheck } from "@licet/contract";
import type { ReactNode } from "react";
import { toneOf } from "../../theme.ts";
import { boundText, figure, historyScale, type HistoryPoint, type HistoryScale } from "./checks-words.ts";

/** Keeps marks at the ends inside the picture. */
function across(place: number): string {
  return `${2 + place * 96}%`;
}

function share(part: number): string {
  return `${Math.max(0, part) * 96}%`;
}

/** So near to an end, the limit's label takes that end's place. */
const labelMargin = 0.4;
/** So near to an end, the label would reach beyond it. */
const labelHalf = 0.15;

function anchor(place: number): "start" | "middle" | "end" {
  if (place < labelHalf) return "start";
  return place > 1 - labelHalf ? "end" : "middle";
}

/** Estimate, interval and limit on one line; the side that passes is shaded. Nothing where there is no interval to look at. */
export function IntervalPlot({ figures }: { readonly figures: CheckFigures }): ReactNode {
  const scale = intervalScale(figures);
  if (scale === undefined || figures.interval === null || figures.interval.method === "census") return null;
  const { lower, upper, estimate, limit } = scale;
  const below = figures.limit.op === "<=";
  return (
    <svg className={`plot tone-${toneOf(figures.verdict)}`} height={44} role="img" aria-label={boundText(figures)}>
      <rect className="good" x={across(below ? 0 : limit)} y={2} width={share(below ? limit : 1 - limit)} height={24} />
      <line className="axis" x1={across(0)} x2={across(1)} y1={14} y2={14} />
      <line className="limit" x1={across(limit)} x2={across(limit)} y1={0} y2={28} />
      <line className="interval" x1={across(lower)} x2={across(upper)} y1={14} y2={14} />
      <line className="interval" x1={across(lower)} x2={across(lower)} y1={9} y2={19} />
      <line className="interval" x1={across(upper)} x2={across(upper)} y1={9} y2={19} />
      <circle className="estimate" cx={across(estimate)} cy={14} r={4.5} />
      <text x={across(0)} y={41}>
        {limit < labelMargin ? "" : figure(scale.from, 3)}
      </text>
      <text x={across(limit)} y={41} textAnchor={anchor(limit)}>
        {below ? "≤" : "≥"} {figure(figures.limit.value)}
      </text>
      <text x={across(1)} y={41} textAnchor="end">
        {limit > 1 - labelMargin ? "" : figure(scale.to, 3)}
      </text>
    </svg>
  );
}

const [top, bottom] = [10, 130] as const;

function up(place: number): number {
  return bottom - place * (bottom - top);
}

function Point({ point, width }: { readonly point: HistoryPoint; readonly width: number }): ReactNode {
  const { at, lower, upper, estimate, limit, below, verdict } = point;
  const [x, left, right] = [across(at), across(at - width / 2), across(at + width / 2)];
  const [high, low] = below ? [up(limit), bottom] : [top, up(limit)];
  return (
    <g className={`tone-${toneOf(verdict)}`}>
      <rect className="good" x={left} width={share(width)} y={high} height={Math.max(0, low - high)} />
      <line className="limit" x1={left} x2={right} y1={up(limit)} y2={up(limit)} />
      <line className="interval" x1={x} x2={x} y1={up(lower)} y2={up(upper)} />
      <circle className="estimate" cx={x} cy={up(estimate)} r={4.5} />
    </g>
  );
}

/** At most so many releases are named below the chart. */
const labelsMax = 5;

function releaseLabels({ points }: HistoryScale): readonly HistoryPoint[] {
  const first = points.filter((point, index) => points[index - 1]?.releaseNumber !== point.releaseNumber);
  const step = Math.ceil(first.length / labelsMax);
  return first.filter((_, index) => index % step === 0);
}

/** Results over time, oldest left: intervals, estimates, and the limit of each; the side that passes is shaded. The table has the same in words. */
export function HistoryPlot({ items }: { readonly items: readonly RecordedCheck[] }): ReactNode {
  const scale = historyScale(items);
  if (scale === undefined) return null;
  const width = 1 / scale.points.length;
  return (
    <svg className="plot history" height={152} role="img" aria-label={`${scale.points.length} results, oldest left, between ${figure(scale.from)} and ${figure(scale.to)}`}>
      {scale.points.map((point) => (
        <Point key={point.id} point={point} width={width} />
      ))}
      <text x={0} y={top + 4}>
        {figure(scale.to, 3)}
      </text>
      <text x={0} y={bottom}>
        {figure(scale.from, 3)}
      </text>
      {releaseLabels(scale).map((point) => (
        <text key={point.id} x={across(point.at)} y={bottom + 18} textAnchor="middle">
          release {point.releaseNumber}
        </text>
      ))}
    </svg>
  );
}
