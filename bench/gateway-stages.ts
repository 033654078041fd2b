import type { Profiler } from "node:inspector";

/** Share of the busy time of each stage of a call, 0 to 1. */
export type StageCosts = Readonly<Record<string, number>>;

/** The stage that a source file belongs to; the first that fits, of the innermost frame that has one. */
const stages: readonly (readonly [string, RegExp])[] = [
  ["detectors", /\/src\/detect\/|\/gateway\/(?:detect|scan)/u],
  ["reading the call", /\/gateway\/dialects|\/gateway\/openai/u],
  ["policy", /\/packages\/cedar\/|\/policy\/|\/gateway\/decide/u],
  ["budgets", /\/gateway\/budgets/u],
  ["record", /\/ledger\/|\/gateway\/(?:record|outcome|content|entries)|\/evidence\/|\/privacy\//u],
  ["projection", /\/db\/|kysely|\/gateway\/store/u],
  ["telemetry", /\/gateway\/observe/u],
  ["conformity and standing", /\/gateway\/(?:conform|standing|judge|authenticate|snapshot)/u],
  ["stream", /\/gateway\/(?:stream|sse|relay|transcript)/u],
  ["provider", /undici|\/base\/outbound|\/gateway\/provider/u],
  ["caller", /\/gateway\/(?:serve|answer|pipeline|inflight)|node:_http|node:http/u],
];

/** Takes a profile apart: every busy sample counts for the innermost stage on its stack, sockets for who holds them. */
export function stageCosts(profile: Profiler.Profile): StageCosts {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)));
  const known = new Map<number, string>();
  const stageOf = (id: number): string => {
    const before = known.get(id);
    if (before !== undefined) return before;
    const frame = nodes.get(id)?.callFrame;
    const own = stageOfFrame(frame?.functionName ?? "", frame?.url ?? "");
    const parent = parents.get(id);
    const stage = own ?? (parent === undefined ? "else" : stageOf(parent));
    known.set(id, stage);
    return stage;
  };
  const costs = new Map<string, number>();
  let busy = 0;
  for (const [at, id] of (profile.samples ?? []).entries()) {
    const time = profile.timeDeltas?.[at] ?? 0;
    if (nodes.get(id)?.callFrame.functionName === "(idle)") continue;
    busy += time;
    const stage = stageOf(id);
    costs.set(stage, (costs.get(stage) ?? 0) + time);
  }
  return Object.fromEntries([...costs].sort(([, a], [, b]) => b - a).map(([stage, time]) => [stage, Math.round((1000 * time) / busy) / 1000]));
}

function stageOfFrame(name: string, url: string): string | undefined {
  if (name === "(garbage collector)") return "garbage collection";
  if (name === "(program)") return "native";
  return stages.find(([, files]) => files.test(url))?.[0];
}
