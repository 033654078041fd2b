import { z } from "zod";
import { EuAnswers } from "./risk-eu.ts";

/** In each list the position is the level, 0 to 3. `autonomy` (Q3) is declared once, at the top of the manifest. */
export const riskLevels = {
  effectOnPeople: ["none", "convenience", "money-access-or-reputation", "health-liberty-livelihood-or-rights"],
  peopleReached: ["team", "organisation", "thousands-outside", "millions-or-vulnerable"],
  reversibility: ["undo-in-seconds", "undo-with-effort", "costly", "irreversible"],
  data: ["public", "internal", "confidential-or-personal", "special-or-secret"],
  toolPower: ["none", "read-internal", "write-or-send", "pay-delete-run-or-grant"],
  exposure: ["closed", "staff-input", "partner-or-web-content", "open-public-input"],
  suppliers: ["none", "replaceable", "hard-to-replace", "single-critical"],
  opacity: ["transparent", "explainable", "partly", "opaque"],
  businessCriticality: ["none", "inconvenient", "degrades-service", "stops-service"],
  moneyAtStake: ["none", "small", "material", "critical"],
} as const;

const level = <const T extends readonly string[]>(values: T, title: string, description: string) =>
  z.enum(values).optional().meta({ title, description: `${description}: ${values.join(", ")}` });

/** Answers to the questionnaire. An answer left out counts as the strictest one. */
export const RiskAnswers = z
  .strictObject({
    effectOnPeople: level(riskLevels.effectOnPeople, "Q1 effect on people", "the worst plausible effect on a person"),
    peopleReached: level(riskLevels.peopleReached, "Q2 people reached", "how many it can touch"),
    reversibility: level(riskLevels.reversibility, "Q4 reversibility", "how a wrong effect is undone"),
    data: level(riskLevels.data, "Q5 data", "only to declare more than the data boundary and the datasets show"),
    toolPower: level(riskLevels.toolPower, "Q6 tool power", "only to declare more than the tools show"),
    exposure: level(riskLevels.exposure, "Q7 exposure to attackers", "who can write what it reads"),
    suppliers: level(riskLevels.suppliers, "Q8 dependency on suppliers", "what happens when a supplier fails"),
    opacity: level(riskLevels.opacity, "Q9 opacity", "how well an output can be explained"),
    businessCriticality: level(riskLevels.businessCriticality, "Q10 business criticality", "what stops with it"),
    moneyAtStake: level(riskLevels.moneyAtStake, "Q11 money at stake", "what one wrong output can cost"),
    eu: EuAnswers.optional(),
  })
  .meta({ title: "Risk", description: "answers from which the tier is computed; one left out counts as the strictest" });
export type RiskAnswers = z.output<typeof RiskAnswers>;
