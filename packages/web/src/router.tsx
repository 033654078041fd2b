import { createRootRoute, createRoute, createRouter } from "@tanstack/react-router";
import { Account } from "./pages/account.tsx";
import { Board } from "./pages/board.tsx";
import { Entry } from "./pages/entry.tsx";
import { Invitation } from "./pages/invitation.tsx";
import { Log } from "./pages/log.tsx";
import { Queue } from "./pages/queue.tsx";
import { RequestPage } from "./pages/request.tsx";
import { SetUp } from "./pages/set-up.tsx";
import { System } from "./pages/system.tsx";
import { Shell } from "./shell.tsx";

const rootRoute = createRootRoute({ component: Shell });

const routeTree = rootRoute.addChildren([
  createRoute({ getParentRoute: () => rootRoute, path: "/", component: Board }),
  createRoute({ getParentRoute: () => rootRoute, path: "/systems/$system", component: System }),
  createRoute({ getParentRoute: () => rootRoute, path: "/queue", component: Queue }),
  createRoute({ getParentRoute: () => rootRoute, path: "/requests/$request", component: RequestPage }),
  createRoute({ getParentRoute: () => rootRoute, path: "/log", component: Log }),
  createRoute({ getParentRoute: () => rootRoute, path: "/log/$entry", component: Entry }),
  createRoute({ getParentRoute: () => rootRoute, path: "/setup", component: SetUp }),
  createRoute({ getParentRoute: () => rootRoute, path: "/invitation", component: Invitation }),
  createRoute({ getParentRoute: () => rootRoute, path: "/account", component: Account }),
]);

export const router = createRouter({ routeTree, defaultPreload: false });

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
