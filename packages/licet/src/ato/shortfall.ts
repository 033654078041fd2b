import { limitMember, type JudgedBy } from "@licet/contract";
import type { Decider } from "../policy/decide.ts";
import { askedBound, askedLimit, idealResult, plainNumber, type AskedLimit, type BoundFact, type ResultQuestion } from "./asked-bound.ts";
import { millionths } from "./millionths.ts";
import { resultRequest } from "./result-request.ts";

/** Why a result that passed does not count, and what would mend it. */
export interface Shortfall {
  readonly finding: string;
  /** What to change in the declared check; absent where nothing in it would help. */
  readonly change?: string;
}

/** For people: the policies in force are asked what they would take instead. `question` is one that they do not allow. */
export function shortfall(decider: Decider, question: ResultQuestion): Shortfall {
  const { row, move, kind } = question;
  const { judged } = row;
  if (judged === undefined) return { finding: "passes, and the record of it does not say against which limit" };
  const { reasons, errors } = decider.decide(resultRequest(move, row, { kind }));
  if (errors.length > 0) return { finding: "passes, and the policies could not be asked whether it counts, which denies" };
  const rules = reasons.map(({ title, requirement, policy }) => `passes, and it is not so that ${title ?? requirement ?? policy}`);
  if (rules.length > 0) return { finding: rules.join("; ") };
  const apart = ofItsOwn[judged.figure ?? ""];
  if (apart !== undefined) return { finding: apart.finding, change: `no \`${apart.member}\` in \`${row.id}\`, or in another check beside it` };
  const ideal = idealResult(row.check, { now: move.now, figure: judged.figure, op: judged.op });
  const asked = askedLimit(decider, { ...question, row: ideal });
  if (judged.origin !== "native") return { finding: `was counted from a report of ${judged.origin}, which stands for no check of ours` };
  if (asked === undefined) return { finding: `passes, and no policy says which limit of a \`${row.check}\` check counts` };
  const wanting = [...limitWanting(row.check, { judged, asked, tier: move.tier }), ...effortWanting(decider, { move, row: ideal, kind }, judged)];
  if (wanting.length === 0) return { finding: "passes, and no policy counts it as it is" };
  return { finding: wanting.map(({ finding }) => finding).join("; "), change: `${wanting.map(({ change }) => change).join(", ")} in \`${row.id}\`` };
}

type Wanting = Required<Shortfall>;

function limitWanting(check: string, { judged, asked, tier }: { readonly judged: JudgedBy; readonly asked: AskedLimit; readonly tier: string }): readonly Wanting[] {
  const { op, limit } = judged;
  const member = limitMember(check, op);
  if (op !== asked.op || !isLaxer({ op, value: limit }, asked)) return [];
  return [{ finding: `\`${member}: ${plainNumber(limit)}\` is laxer than ${plainNumber(asked.value)}, which tier ${tier} asks for`, change: `\`${member}: ${plainNumber(asked.value)}\` or stricter` }];
}

/** Compared as policies see them. */
export function isLaxer(own: AskedLimit, asked: AskedLimit): boolean {
  const towards = asked.op === "<=" ? "up" : "down";
  const [have, want] = [millionths(own.value, towards), millionths(asked.value, towards)];
  if (have === undefined || want === undefined) return true;
  return asked.op === "<=" ? have > want : have < want;
}

/** What a check may be given that could leave nothing to find: an organisation may count it by a permit of its own. */
const ofItsOwn: Readonly<Record<string, { readonly finding: string; readonly member: string }>> = {
  ruled: { finding: "passes, and `rules` say what its attacker may not change, which no policy counts", member: "rules" },
  ...Object.fromEntries(["confidence", "entropy", "gap", "rmia", "lira"].map((attack) => [attack, { finding: `passes by the attack \`${attack}\`, and no policy counts another than \`loss\``, member: "attack" }])),
  "own-probes": { finding: "passes with `probes` of its own, which no policy counts", member: "probes" },
};

const distanceMember: Readonly<Record<string, string>> = { "robust.noise": "sigma", "robust.corruption": "damages.sigma" };

/** How hard the check tries, each fact by itself beside an otherwise ideal result. */
function effortWanting(decider: Decider, question: ResultQuestion, judged: JudgedBy): readonly Wanting[] {
  const { distance = 0, queries = 0, norm = "none" } = judged;
  const member = distanceMember[question.row.check] ?? "epsilon";
  const far = moreAsked(decider, question, { fact: "distance", unit: 1e6, own: distance });
  const many = moreAsked(decider, question, { fact: "queries", unit: 1, own: queries });
  const ideal = question.row.judged?.norm ?? norm;
  const { decision } = decider.decide(resultRequest(question.move, question.row, { kind: question.kind, attributes: { norm: judged.norm } }));
  return [
    ...(far === undefined ? [] : [{ finding: `it tests a distance of ${plainNumber(distance)}, and ${plainNumber(far)} is asked for`, change: `\`${member}: ${plainNumber(far)}\` or more` }]),
    ...(many === undefined ? [] : [{ finding: `the attack spends ${queries} queries on a row, and ${many} are asked for`, change: `\`queries: ${many}\` or more` }]),
    ...(decision === "allow" ? [] : [{ finding: `\`norm: ${norm}\` is not what is asked for`, change: `\`norm: ${ideal}\`` }]),
  ];
}

/** The least that is asked for, where the check has less. */
function moreAsked(decider: Decider, question: ResultQuestion, { fact, unit, own }: { readonly fact: BoundFact; readonly unit: number; readonly own: number }): number | undefined {
  const found = askedBound(decider, question, fact);
  return found !== undefined && found / unit > own ? found / unit : undefined;
}
