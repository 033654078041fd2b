/** What the traffic page shows, in its address. */
export interface TrafficSearch {
  readonly system?: string;
  readonly decision?: "allow" | "deny";
  readonly code?: string;
  readonly minutes?: number;
}

export const periods = [
  [15, "15 minutes"],
  [60, "1 hour"],
  [1440, "24 hours"],
] as const;

export interface Searching {
  readonly search: TrafficSearch;
  readonly change: (to: TrafficSearch) => void;
}

export function trafficSearch({ system, decision, code, minutes }: Record<string, unknown>): TrafficSearch {
  return {
    ...(typeof system === "string" && system !== "" ? { system } : {}),
    ...(decision === "allow" || decision === "deny" ? { decision } : {}),
    ...(typeof code === "string" && code !== "" ? { code } : {}),
    ...(periods.some(([value]) => value === minutes) ? { minutes: Number(minutes) } : {}),
  };
}

/** Without one of its parts. */
export function without(search: TrafficSearch, part: keyof TrafficSearch): TrafficSearch {
  const { [part]: _, ...rest } = search;
  return rest;
}
