import { catalogue, type CheckDefinition } from "@licet/assurance";
import { gateKindOf } from "@licet/contract";
import { askedBound, askedLimit, idealResult, limitText, plainNumber, type ResultQuestion } from "../../packages/licet/src/ato/asked-bound.ts";
import { kindOfRequirement } from "../../packages/licet/src/ato/evidence-finding.ts";
import { minimalPilot } from "../../packages/licet/src/ato/gate-fixture.ts";
import { builtinBundle } from "../../packages/licet/src/policy/bundle.ts";
import { createDecider } from "../../packages/licet/src/policy/decide.ts";
import { table } from "./block.ts";

const decider = createDecider(builtinBundle());
/** What a check measures, where its limit depends on it. */
const figures: Readonly<Record<string, readonly string[]>> = { "perf.loss": ["log_loss", "brier"], "perf.score": ["balanced_accuracy", "mcc"], "privacy.membership": ["auc", "tpr"], "drift.prediction": ["scores", "classes"] };

function question({ check, op }: Pick<CheckDefinition, "check" | "op">, figure: string | undefined): ResultQuestion {
  const move = { ...minimalPilot, tier: "high", to: "production" } as const;
  return { move, row: idealResult(check, { now: move.now, figure, op }), kind: gateKindOf(check) };
}

function effort(asked: ResultQuestion): string {
  const distance = askedBound(decider, asked, "distance") ?? 0;
  const queries = askedBound(decider, asked, "queries") ?? 0;
  return [distance > 0 ? `a distance of at least ${plainNumber(distance / 1e6)}${["robust.noise", "robust.corruption"].includes(asked.row.check) ? "" : " in the norm `linf`"}` : "", queries > 0 ? `${queries} queries a row` : ""].filter((each) => each !== "").join(", ");
}

/** Every check with the laxest limit that counts, asked of the policies themselves; those that none counts are named below. */
export function limitTable(): string {
  const asked = catalogue.flatMap(({ check, op }) => (figures[check] ?? [undefined]).map((figure) => ({ check, figure, asks: question({ check, op }, figure) })));
  const rows = asked.flatMap(({ check, figure, asks }) => {
    const limit = askedLimit(decider, asks);
    if (limit === undefined) return [];
    const requirement = Object.entries(kindOfRequirement).find(([, kind]) => kind === asks.kind)?.[0];
    return [[`\`${check}\`${figure === undefined ? "" : ` (\`${figure}\`)`}`, limitText(limit), effort(asks), requirement === undefined ? "none of ours" : `\`${requirement}\``]];
  });
  const none = [...new Set(asked.filter(({ asks }) => askedLimit(decider, asks) === undefined).map(({ check }) => `\`${check}\``))];
  return `${table(["check", "limit", "and", "stands for"], rows)}\n\nWithout a number, so that none counts unless a baseline says which: ${none.join(", ")}.`;
}
