import type { Caller, DataPlaneMount, Inbound } from "../gateway/answer.ts";
import type { PipelineParts } from "../gateway/admission.ts";
import { requestsPath } from "./access-requests.ts";
import { mcpEvaluation, mcpPath } from "./coaz-endpoint.ts";
import { evaluation, evaluations } from "./evaluate.ts";
import { extAuthzPrefix, httpExtAuthz } from "./ext-authz.ts";
import { KnownBodies } from "./known-bodies.ts";
import { metadata } from "./metadata.ts";
import type { DecisionParts } from "./parts.ts";
import { OpenScorings, scoringOutcome } from "./scoring-outcome.ts";
import { search, type Sought } from "./search.ts";

export type DecisionApiOptions = Omit<DecisionParts, "pipeline" | "origin" | "scorings" | "bodies"> & {
  /** Told once, what the API works with: for listeners beside the data plane. */
  readonly onMounted?: (parts: DecisionParts) => void;
};

/** The decision API on the data plane; passed to the gateway as `mount`. */
export function decisionApi({ onMounted, ...options }: DecisionApiOptions = {}): (mounting: { readonly parts: PipelineParts; readonly origin: () => string }) => DataPlaneMount {
  return ({ parts: pipeline, origin }) => {
    const parts: DecisionParts = { ...options, pipeline, origin, bodies: new KnownBodies(), scorings: new OpenScorings() };
    onMounted?.(parts);
    return (inbound, caller) => {
      if (inbound.path.startsWith(extAuthzPrefix)) return httpExtAuthz(parts, inbound, caller);
      const route = `${inbound.method} ${inbound.path}`;
      if (Object.hasOwn(routes, route)) return routes[route]?.(parts, inbound, caller);
      return requests(parts, inbound, caller);
    };
  };
}

type Serve = (parts: DecisionParts, inbound: Inbound, caller: Caller) => Promise<void>;

const searching = (sought: Sought): Serve => (parts, inbound, caller) => search(parts, inbound, caller, sought);

const routes: Readonly<Record<string, Serve | undefined>> = {
  "POST /access/v1/evaluation": evaluation,
  "POST /access/v1/evaluations": evaluations,
  "POST /access/v1/outcome": scoringOutcome,
  "POST /access/v1/search/subject": searching("subject"),
  "POST /access/v1/search/resource": searching("resource"),
  "POST /access/v1/search/action": searching("action"),
  [`POST ${mcpPath}`]: mcpEvaluation,
  "GET /.well-known/authzen-configuration": async (parts, _inbound, caller) => caller.json(200, {}, metadata(parts)),
};

/** Only where somebody could decide on a request. */
function requests(parts: DecisionParts, inbound: Inbound, caller: Caller): Promise<void> | undefined {
  const { method, path } = inbound;
  if (method === "POST" && path === requestsPath) return parts.approvals?.submit(parts, inbound, caller);
  return method === "GET" && path.startsWith(`${requestsPath}/`) ? parts.approvals?.show(parts, inbound, caller) : undefined;
}
