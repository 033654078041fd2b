import type { Handlers } from "../http/handlers.ts";
import { ProviderKind, type RouteAnswer } from "@licet/contract";
import { prepareProvider, type ProviderDeps, type PreparedProvider } from "./providers.ts";
import { planPush, push, type PushDeps } from "./push.ts";
import { listProviders, providersWithKey } from "./store.ts";

/** Registering a provider is a gate move: the oversight feature opens it, and has it carried out when it is granted. */
export interface ProviderMoves {
  openProvider(move: { readonly space: string; readonly by: string; readonly detail: PreparedProvider }): Promise<RouteAnswer<"registerProvider">>;
}

export interface InventoryDeps extends PushDeps, ProviderDeps {
  readonly moves: ProviderMoves;
}

export function inventoryRoutes(deps: InventoryDeps): Pick<Handlers, "planRelease" | "pushRelease" | "listProviders" | "registerProvider"> {
  return {
    planRelease: ({ params, body }) => planPush(deps, params.space, body),
    pushRelease: ({ params, body }, caller) => push(deps, { space: params.space, bundle: body, pushedBy: caller.personId }),
    async registerProvider({ params, body }, caller) {
      const detail = await prepareProvider(deps, params.space, body);
      return deps.moves.openProvider({ space: params.space, by: caller.personId, detail });
    },
    async listProviders({ params }) {
      const [rows, keys] = await Promise.all([listProviders(deps.read, params.space), providersWithKey(deps.read, params.space)]);
      return {
        items: rows.map((row) => ({
          id: row.id,
          kind: ProviderKind.parse(row.dialect),
          apiVersion: row.api_version === "" ? null : row.api_version,
          baseUrl: row.base_url,
          vendor: row.vendor,
          region: row.region,
          registeredBy: row.registered_by,
          registeredAt: row.registered_at,
          hasKey: keys.has(row.id),
        })),
      };
    },
  };
}
