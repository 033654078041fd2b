import type { Handlers } from "../http/handlers.ts";
import { addGateway, gatewayList, gatewayTrust, removeGateway, type GatewayDeps } from "./gateways.ts";

export function fleetRoutes(deps: GatewayDeps): Pick<Handlers, "addGateway" | "listGateways" | "removeGateway" | "showGatewayTrust"> {
  return {
    addGateway: ({ params, body }, caller) => addGateway(deps, { space: params.space, name: body.name, by: caller.personId }),
    listGateways: ({ params }) => gatewayList(deps, params.space),
    removeGateway: ({ params, body }, caller) => removeGateway(deps, { space: params.space, name: params.gateway, reason: body.reason, by: caller.personId }),
    showGatewayTrust: ({ params }) => gatewayTrust(deps, params.space, params.gateway),
  };
}
