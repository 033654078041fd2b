import type { Bundle } from "../policy/bundle.ts";
import type { PolicyDecision, PolicyRequest } from "../policy/decide.ts";

/** Sees every decision of the gate after it was made; see policy/sampling.ts. */
export type GateWatch = (decided: { readonly bundle: Bundle; readonly request: PolicyRequest; readonly decision: PolicyDecision }) => void;

export const unwatched: GateWatch = () => undefined;
