import type { z } from "zod";
import { budgetRoutes } from "./routes/budgets.ts";
import { ciRoutes } from "./routes/ci.ts";
import { checkRoutes } from "./routes/checks.ts";
import { decisionRoutes } from "./routes/decisions.ts";
import { gatewayRoutes } from "./routes/gateways.ts";
import { organisationRoutes } from "./routes/organisation.ts";
import { policyRoutes } from "./routes/policies.ts";
import { privacyRoutes } from "./routes/privacy.ts";
import type { Route } from "./routes/route.ts";
import { statementRoutes } from "./routes/statements.ts";
import { systemRoutes } from "./routes/systems.ts";
import { trafficRoutes } from "./routes/traffic.ts";
import { waiverRoutes } from "./routes/waivers.ts";

/** The whole API of the control plane, one table: the server, the client and the OpenAPI document read it. */
export const routes = { ...organisationRoutes, ...systemRoutes, ...checkRoutes, ...ciRoutes, ...privacyRoutes, ...statementRoutes, ...decisionRoutes, ...policyRoutes, ...waiverRoutes, ...gatewayRoutes, ...trafficRoutes, ...budgetRoutes } as const;

export type RouteName = keyof typeof routes;

type Part<R, K extends "params" | "query" | "body", Side extends "input" | "output"> = R extends { readonly [P in K]: infer S extends z.ZodType }
  ? { readonly [P in K]: Side extends "input" ? z.input<S> : z.output<S> }
  : object;

/** What a caller gives: path parameters, query, body (bytes where the route is raw). */
export type RouteInput<N extends RouteName> = Part<(typeof routes)[N], "params", "input"> &
  Part<(typeof routes)[N], "query", "input"> &
  Part<(typeof routes)[N], "body", "input"> &
  ((typeof routes)[N] extends { readonly raw: object } ? { readonly body: Uint8Array } : object);

/** What a handler gets, parsed. */
export type RouteRequest<N extends RouteName> = Part<(typeof routes)[N], "params", "output"> &
  Part<(typeof routes)[N], "query", "output"> &
  Part<(typeof routes)[N], "body", "output"> &
  ((typeof routes)[N] extends { readonly raw: object } ? { readonly body: Uint8Array } : object);

export type RouteAnswer<N extends RouteName> = z.output<(typeof routes)[N]["response"]>;

export function routeNamed(name: RouteName): Route {
  return routes[name];
}
