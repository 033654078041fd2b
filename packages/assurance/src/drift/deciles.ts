import { countAtMost, quantileSorted } from "./sorted-pair.ts";

const levels = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] as const;

/** The different deciles of the sorted reference: with many ties fewer than nine. */
export function decileEdges(reference: Float64Array): Float64Array {
  const edges = levels.map((level) => quantileSorted(reference, level));
  return Float64Array.from(edges.filter((edge, index) => edge !== edges[index - 1] && !Number.isNaN(edge)));
}

/** Values per bin: a bin ends with its edge included; the last has no edge. */
export function countBins(sorted: Float64Array, edges: Float64Array): readonly number[] {
  const upTo = [...Array.from(edges, (edge) => countAtMost(sorted, edge)), sorted.length];
  return upTo.map((count, index) => count - (upTo[index - 1] ?? 0));
}
