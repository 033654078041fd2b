import type { PeerRuntime, PlannedRun } from "@licet/assurance";
import type { AssuranceCheck } from "@licet/contract";
import type { Project } from "../inventory/project.ts";
import type { CheckBudget } from "./check-budget.ts";
import type { Answered, EndpointOptions } from "./check-endpoints.ts";
import type { ModelPrice } from "./check-prices.ts";

/** What a thread needs to run any check of a suite: plain data, because it crosses into the thread. */
export interface CheckOrder {
  readonly project: Project;
  readonly checks: readonly AssuranceCheck[];
  readonly seed: string;
  readonly planned: Readonly<Record<string, PlannedRun>>;
  readonly release: string | null;
  readonly endpoints: EndpointOptions;
  readonly shares: Readonly<Record<string, CheckBudget>>;
  readonly prices: Readonly<Record<string, ModelPrice>>;
  /** Milliseconds since the epoch after which no attempt begins. */
  readonly until?: number;
  /** Rows that each check may send to a model behind an endpoint. */
  readonly rowsMax?: number;
  /** Another interpreter of model files; absent where none is installed. */
  readonly peer?: PeerRuntime;
  /** Folder of measurements; absent where nothing is remembered. */
  readonly measurements?: string;
  /** Folder of answers; absent where nothing is kept. */
  readonly answers?: string;
}

/** To a thread: run the check at this place. */
export interface RunMessage {
  readonly run: number;
}

/** From a thread. `result` is parsed by whoever takes it. */
export type ThreadMessage = { readonly kind: "answered"; readonly check: string; readonly answered: Answered } | { readonly kind: "finished"; readonly index: number; readonly result: unknown; readonly remembered: boolean };
