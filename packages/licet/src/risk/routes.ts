import type { Handlers } from "../http/handlers.ts";
import { giveAnswer, type RiskDeps } from "./answer.ts";

export function riskRoutes(deps: RiskDeps): Pick<Handlers, "giveAnswer"> {
  return {
    giveAnswer: ({ params, body }, caller) => giveAnswer(deps, { space: params.space, system: params.system, question: body.question, value: body.value, reason: body.reason, caller }),
  };
}
