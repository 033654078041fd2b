import type { Handlers } from "../http/handlers.ts";
import { clientPage, issueClient, revokeClient, type ClientDeps } from "./clients.ts";
import { changeData, dataPage } from "./data-change.ts";
import { openSpace, type SpaceDeps } from "./spaces.ts";

export type DecisionRoutes = ClientDeps & SpaceDeps;

type DecisionHandlers = Pick<Handlers, "openSpace" | "changePolicyData" | "listPolicyData" | "issueDecisionClient" | "listDecisionClients" | "revokeDecisionClient">;

export function decisionRoutes(deps: DecisionRoutes): DecisionHandlers {
  return {
    openSpace: ({ params, body }, caller) => openSpace(deps, { from: params.space, ...body, by: caller.personId }),
    changePolicyData: ({ params, body }, caller) => changeData(deps, { space: params.space, batch: body, by: caller.personId }),
    listPolicyData: ({ params, query }) => dataPage(deps, params.space, query),
    issueDecisionClient: ({ params, body }, caller) => issueClient(deps, { space: params.space, ...body, by: caller.personId }),
    listDecisionClients: ({ params, query }) => clientPage(deps, params.space, query),
    revokeDecisionClient: ({ params, query }, caller) => revokeClient(deps, { ...params, reason: query.reason, by: caller.personId }),
  };
}
