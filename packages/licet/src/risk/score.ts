import { autonomyLevels, dataClasses, riskLevels, toolPowers, type Manifest, type Tier } from "@licet/contract";
import type { AnswerSource, ScoreLine } from "./assessment.ts";

const strictest = 3;

type DeclaredQuestion = keyof typeof riskLevels;
type Row = readonly [id: string, dimension: string, key: DeclaredQuestion | "autonomy"];

const questions: readonly Row[] = [
  ["Q1", "effect on people", "effectOnPeople"],
  ["Q2", "people reached", "peopleReached"],
  ["Q3", "autonomy", "autonomy"],
  ["Q4", "reversibility", "reversibility"],
  ["Q5", "data", "data"],
  ["Q6", "tool power", "toolPower"],
  ["Q7", "exposure to attackers", "exposure"],
  ["Q8", "dependency on suppliers", "suppliers"],
  ["Q9", "opacity", "opacity"],
  ["Q10", "business criticality", "businessCriticality"],
  ["Q11", "money at stake", "moneyAtStake"],
];

/** Levels 0 to 3 of Q1 to Q11: declared, or read off the manifest's facts; of the two the stricter holds. */
export function scoreLines(manifest: Manifest): readonly ScoreLine[] {
  const derived: Readonly<Partial<Record<Row[2], number>>> = { autonomy: autonomyLevels.indexOf(manifest.autonomy), data: dataLevel(manifest), toolPower: toolLevel(manifest) };
  return questions.map(([id, dimension, key]) => {
    const words: readonly string[] = key === "autonomy" ? autonomyLevels : riskLevels[key];
    const held = stricter(key === "autonomy" ? undefined : declaredLevel(manifest, key), derived[key]);
    return { id, dimension, level: held.level, meaning: words[held.level] ?? "", source: held.source };
  });
}

function stricter(declared: number | undefined, derived: number | undefined): { readonly level: number; readonly source: AnswerSource } {
  if (declared === undefined && derived === undefined) return { level: strictest, source: "unanswered" };
  const [a, b] = [declared ?? -1, derived ?? -1];
  return a > b ? { level: a, source: "declared" } : { level: b, source: "derived" };
}

function declaredLevel(manifest: Manifest, key: DeclaredQuestion): number | undefined {
  const word = manifest.risk?.[key];
  if (word === undefined) return undefined;
  const words: readonly string[] = riskLevels[key];
  return words.indexOf(word);
}

const levelOfClass: Readonly<Record<(typeof dataClasses)[number], number>> = { public: 0, internal: 1, confidential: 2, personal: 2, special: 3 };

function dataLevel(manifest: Manifest): number {
  const classes = [...manifest.dataBoundary.classes, ...(manifest.components.datasets ?? []).map((dataset) => dataset.sensitivity)];
  return Math.max(0, ...classes.map((each) => levelOfClass[each]));
}

const levelOfPower: Readonly<Record<(typeof toolPowers)[number], number>> = { none: 0, read: 1, write: 2, send: 2, pay: 3, delete: 3, "run-code": 3, "change-access": 3 };

function toolLevel(manifest: Manifest): number {
  return Math.max(0, ...(manifest.components.tools ?? []).map((tool) => levelOfPower[tool.power]));
}

export interface ScoreTier {
  readonly tier: Tier;
  readonly rule: string;
}

const grave = ["Q1", "Q4", "Q6"] as const;
const weighty = ["Q1", "Q4", "Q5", "Q6", "Q7", "Q11"] as const;
const counted = ["Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "Q11"] as const;

/** The tier rule as written in the questionnaire. Q8, Q9 and Q10 add reasons and checks, never a tier. */
export function scoreTier(lines: readonly Pick<ScoreLine, "id" | "level">[]): ScoreTier {
  const level = (id: string) => lines.find((line) => line.id === id)?.level ?? strictest;
  const at = (ids: readonly string[], least: number) => ids.filter((id) => level(id) >= least);
  const shown = (ids: readonly string[]) => ids.map((id) => `${id} = ${level(id)}`).join(", ");
  const [top, heavy, middling, raised] = [at(grave, 3), at(weighty, 3), at(weighty, 2), at(counted, 2)];
  if (top.length > 0 && level("Q3") >= 2) return { tier: "critical", rule: `critical: ${shown(top)} with Q3 = ${level("Q3")} (one of Q1, Q4, Q6 at 3 and Q3 at 2 or more)` };
  if (heavy.length > 0) return { tier: "high", rule: `high: ${shown(heavy)} (any of Q1, Q4, Q5, Q6, Q7, Q11 at 3)` };
  if (middling.length >= 3) return { tier: "high", rule: `high: ${shown(middling)} (three of Q1, Q4, Q5, Q6, Q7, Q11 at 2 or more)` };
  if (raised.length > 0) return { tier: "limited", rule: `limited: ${shown(raised)} (any of Q1 to Q7, Q11 at 2 or more)` };
  return { tier: "minimal", rule: "minimal: none of Q1 to Q7, Q11 at 2 or more" };
}
