import type { CiDetail, RouteAnswer } from "@licet/contract";
import { LicetError } from "../../base/errors.ts";
import type { Handlers } from "../../http/handlers.ts";
import { peopleNames } from "../../identity/store.ts";
import { exchangeToken, type ExchangeDeps } from "./exchange.ts";
import { prepareRegistration, registrationViews, removeRegistration } from "./registration.ts";

/** Registering a CI is a gate move: the oversight feature opens it, and has it carried out when it is granted. */
export interface CiRoutes extends ExchangeDeps {
  readonly openRegistration: (move: { readonly space: string; readonly system: string; readonly by: string; readonly detail: CiDetail }) => Promise<RouteAnswer<"registerCi">>;
}

export function ciRoutes(deps: CiRoutes): Pick<Handlers, "registerCi" | "listCi" | "removeCi" | "exchangeCiToken"> {
  const { read } = deps;
  const views = async (space: string, system: string): Promise<RouteAnswer<"listCi">["items"]> => {
    const names = await peopleNames(read, space);
    return registrationViews(read, space, { system, named: (id) => names.get(id) ?? id });
  };
  return {
    async registerCi({ params, body }, caller) {
      const detail = await prepareRegistration(read, params.space, { system: params.system, body });
      return deps.openRegistration({ ...params, by: caller.personId, detail });
    },
    listCi: async ({ params }) => ({ items: await views(params.space, params.system) }),
    async removeCi({ params, body }, caller) {
      await removeRegistration(deps, { ...params, reason: body.reason, by: caller.personId });
      const view = (await views(params.space, params.system)).find(({ id }) => id === params.registration);
      if (view === undefined) throw new LicetError("not_found", { message: `there is no CI registration \`${params.registration}\` in this space` });
      return view;
    },
    exchangeCiToken: ({ params, body }) => exchangeToken(deps, { ...params, ...body }),
  };
}
