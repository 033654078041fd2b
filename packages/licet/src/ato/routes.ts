import { LicetError } from "@licet/contract";
import type { Handlers } from "../http/handlers.ts";
import { holdsOn } from "../oversight/store.ts";
import type { Oversight } from "../oversight/oversight.ts";
import { needRequest, requestView } from "../oversight/view.ts";
import { deploymentViews, recordDeployment, revokeCredential } from "./deployments.ts";
import { gateNow } from "./gate-now.ts";
import { changeState, openRequest, type AtoOptions } from "./lifecycle.ts";
import { findDeployment, listAtos } from "./store.ts";
import { atoView } from "./view.ts";

export interface AtoRoutes extends Pick<AtoOptions, "read" | "recorder" | "watch"> {
  readonly oversight: Oversight;
}

type AtoHandlers = Pick<Handlers, "askGate" | "requestPromotion" | "listAtos" | "recordDeployment" | "revokeCredential" | "revokeAto">;

export function atoRoutes(options: AtoRoutes): AtoHandlers {
  const { read, recorder, oversight } = options;
  return {
    askGate: async ({ params, query }) => gateNow(options, params.space, { system: params.system, to: query.to, environment: query.environment, release: query.release }),
    requestPromotion: async ({ params, body }, caller) => {
      const { space, system } = params;
      const id = await openRequest(recorder, { space, system, ...body, by: caller.personId });
      await oversight.settle(space, id);
      return requestView({ read, judge: oversight.judge, now: recorder.now() }, await needRequest(read, space, id));
    },
    listAtos: async ({ params }) => {
      const held = (await holdsOn(read, params.space, params.system)).length > 0;
      const rows = await listAtos(read, params.space, params.system);
      return { items: rows.map((row) => atoView(row, { now: recorder.now(), held })) };
    },
    recordDeployment: async ({ params, body }, caller) => {
      const { space, system } = params;
      const issued = await recordDeployment(recorder, { space, system, ...body, by: caller.personId });
      const row = await findDeployment(read, space, issued.deployment);
      const [deployment] = row === undefined ? [] : await deploymentViews(read, space, [row]);
      if (deployment === undefined) throw new LicetError("internal", { message: "a deployment that was just recorded is gone" });
      return { deployment, credential: issued.credential };
    },
    revokeCredential: async ({ params, body }, caller) => {
      const { space, credential } = params;
      return { id: credential, revokedAt: await revokeCredential(recorder, { space, credential, reason: body.reason, by: caller.personId }) };
    },
    revokeAto: async ({ params, body }, caller) => {
      await changeState(recorder, { space: params.space, ato: params.ato, reason: body.reason, by: caller.personId }, "revoked");
      return { id: params.ato, state: "revoked" };
    },
  };
}
