import type { IntervalScale } from "@licet/contract";

const widthDefault = 40;

/** The same as characters: the interval, `●` the estimate, `┃` the limit. */
export function plottedInterval(scale: IntervalScale, width: number = widthDefault): string {
  const at = (place: number) => Math.round(place * (width - 1));
  const [lower, upper, estimate, limit] = [at(scale.lower), at(scale.upper), at(scale.estimate), at(scale.limit)];
  return Array.from({ length: width }, (_, column) => {
    if (column === estimate) return "●";
    if (column === limit) return "┃";
    if (column === lower && lower < upper) return "├";
    if (column === upper && lower < upper) return "┤";
    return column > lower && column < upper ? "─" : "·";
  }).join("");
}
