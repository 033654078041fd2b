import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { NotThere, Waiting, Wrecked } from "./pages/elsewhere.tsx";
import { trafficSearch } from "./pages/traffic/search.ts";
import { Shell } from "./shell.tsx";

const rootRoute = createRootRoute({ component: Shell, notFoundComponent: NotThere });
const getParentRoute = (): typeof rootRoute => rootRoute;

interface PlaygroundSearch {
  readonly decision?: string;
  readonly system?: string;
}

/** What the playground begins with, in its address. */
function playgroundSearch({ decision, system }: Record<string, unknown>): PlaygroundSearch {
  return { ...(typeof decision === "string" ? { decision } : {}), ...(typeof system === "string" ? { system } : {}) };
}

/** The release whose checks are shown, where it is not the newest. */
function checksSearch({ release }: Record<string, unknown>): { readonly release?: string } {
  return typeof release === "string" ? { release } : {};
}

/** The result that is shown in full, where it is not the newest. */
function checkSearch({ result }: Record<string, unknown>): { readonly result?: string } {
  return typeof result === "string" ? { result } : {};
}

/** Each view is loaded when it is first opened. */
const routeTree = rootRoute.addChildren([
  createRoute({ getParentRoute, path: "/", component: lazyRouteComponent(() => import("./pages/board.tsx"), "Board") }),
  createRoute({ getParentRoute, path: "/systems/$system", component: lazyRouteComponent(() => import("./pages/system.tsx"), "System") }),
  createRoute({ getParentRoute, path: "/systems/$system/checks", validateSearch: checksSearch, component: lazyRouteComponent(() => import("./pages/system/checks.tsx"), "ChecksPage") }),
  createRoute({ getParentRoute, path: "/systems/$system/checks/$check", validateSearch: checkSearch, component: lazyRouteComponent(() => import("./pages/system/checks-detail.tsx"), "CheckPage") }),
  createRoute({ getParentRoute, path: "/decisions/$decision", component: lazyRouteComponent(() => import("./pages/decision.tsx"), "Decision") }),
  createRoute({ getParentRoute, path: "/traffic", validateSearch: trafficSearch, component: lazyRouteComponent(() => import("./pages/traffic.tsx"), "Traffic") }),
  createRoute({ getParentRoute, path: "/budgets", component: lazyRouteComponent(() => import("./pages/budgets.tsx"), "Budgets") }),
  createRoute({ getParentRoute, path: "/queue", component: lazyRouteComponent(() => import("./pages/queue.tsx"), "Queue") }),
  createRoute({ getParentRoute, path: "/requests/$request", component: lazyRouteComponent(() => import("./pages/request.tsx"), "RequestPage") }),
  createRoute({ getParentRoute, path: "/exceptions", component: lazyRouteComponent(() => import("./pages/waivers.tsx"), "Waivers") }),
  createRoute({ getParentRoute, path: "/holds", component: lazyRouteComponent(() => import("./pages/holds.tsx"), "HoldsPage") }),
  createRoute({ getParentRoute, path: "/log", component: lazyRouteComponent(() => import("./pages/log.tsx"), "Log") }),
  createRoute({ getParentRoute, path: "/log/$entry", component: lazyRouteComponent(() => import("./pages/entry.tsx"), "Entry") }),
  createRoute({ getParentRoute, path: "/policies", component: lazyRouteComponent(() => import("./pages/policies.tsx"), "Policies") }),
  createRoute({ getParentRoute, path: "/policies/playground", validateSearch: playgroundSearch, component: lazyRouteComponent(() => import("./pages/playground.tsx"), "Playground") }),
  createRoute({ getParentRoute, path: "/policies/packs/$pack", component: lazyRouteComponent(() => import("./pages/policy-pack.tsx"), "PolicyPack") }),
  createRoute({ getParentRoute, path: "/policies/publications/$publication", component: lazyRouteComponent(() => import("./pages/publication.tsx"), "Publication") }),
  createRoute({ getParentRoute, path: "/policies/backtests/$backtest", component: lazyRouteComponent(() => import("./pages/backtest.tsx"), "Backtest") }),
  createRoute({ getParentRoute, path: "/people", component: lazyRouteComponent(() => import("./pages/people.tsx"), "People") }),
  createRoute({ getParentRoute, path: "/setup", component: lazyRouteComponent(() => import("./pages/set-up.tsx"), "SetUp") }),
  createRoute({ getParentRoute, path: "/invitation", component: lazyRouteComponent(() => import("./pages/invitation.tsx"), "Invitation") }),
  createRoute({ getParentRoute, path: "/account", component: lazyRouteComponent(() => import("./pages/account.tsx"), "Account") }),
]);

export const router = createRouter({ routeTree, defaultPreload: "intent", defaultPendingComponent: Waiting, defaultErrorComponent: Wrecked, scrollRestoration: true });

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
