import type { EuAnswers } from "@licet/contract";

type Section = Exclude<keyof EuAnswers, "annexIII" | "carveOuts">;

/** One yes-or-no question of the EU AI Act, in our own words. Not legal advice. */
export interface EuQuestion {
  readonly id: string;
  /** Where the manifest answers it: `risk.eu.<section>.<key>`. */
  readonly section: Section;
  readonly key: string;
  readonly text: string;
  readonly ref: string;
  /** The answer that holds while nobody has answered. */
  readonly strict: boolean;
  /** The other answer lowers the class and is a human judgement: it counts only once the risk owner has signed it. */
  readonly judged: boolean;
  /** First day on which a prohibition binds. */
  readonly from?: string;
  /** Whose duty it is. */
  readonly who?: "provider" | "deployer";
}

type Row = readonly [id: string, key: string, ref: string, text: string];

function rows(section: Section, traits: { readonly strict: boolean; readonly judged: boolean }, list: readonly Row[]): readonly EuQuestion[] {
  return list.map(([id, key, ref, text]) => ({ id, section, key, ref, text, ...traits }));
}

const judgedYes = { strict: true, judged: true } as const;
const judgedNo = { strict: false, judged: true } as const;
const declaredYes = { strict: true, judged: false } as const;
const declaredNo = { strict: false, judged: false } as const;

export const scopeQuestions: readonly EuQuestion[] = [
  ...rows("scope", judgedYes, [
    ["S1", "aiSystem", "Art.3(1)", "is it an AI system (infers outputs from input, with some autonomy)?"],
    ["S2", "inUnion", "Art.2(1)", "placed on the EU market, used by someone in the EU, or its output used in the EU?"],
  ]),
  ...rows("scope", judgedNo, [["S3", "excludedUse", "Art.2(3),(6),(8),(10)", "only for military, defence or national security; or pure research before market; or personal use?"]]),
  ...rows("scope", declaredNo, [["S4", "openSource", "Art.2(12)", "free and open-source release?"]]),
];

export const roleQuestions: readonly EuQuestion[] = rows("role", declaredYes, [
  ["R1", "provider", "Art.3(3)", "do you develop it or have it developed and put it on the market or into service under your name?"],
  ["R2", "deployer", "Art.3(4)", "do you use it under your authority in a professional setting?"],
  ["R3", "becomesProvider", "Art.25(1)", "did you put your name on a high-risk system, change it substantially, or change its purpose so it becomes high-risk?"],
]);

const sinceStart = "2025-02-02";
const sinceOmnibus = "2026-12-02";
const omnibus: ReadonlySet<string> = new Set(["P3", "P4"]);

export const prohibitedQuestions: readonly EuQuestion[] = rows("prohibited", declaredYes, [
  ["P1", "manipulation", "Art.5(1)(a)", "manipulates below awareness or deceives so behaviour is bent and serious harm follows?"],
  ["P2", "exploitsVulnerability", "Art.5(1)(b)", "exploits age, disability or social or economic hardship with serious harm?"],
  ["P3", "intimateMaterial", "Art.5(1)(ba)", "generates or alters realistic intimate material of an identifiable person without valid consent, or lets that happen foreseeably without safeguards?"],
  ["P4", "childAbuseMaterial", "Art.5(1)(bb)", "generates or alters child sexual abuse material?"],
  ["P5", "socialScoring", "Art.5(1)(c)", "scores people over time with unrelated or disproportionate detriment?"],
  ["P6", "crimePrediction", "Art.5(1)(d)", "predicts crime by a person only from profile or traits?"],
  ["P7", "faceScraping", "Art.5(1)(e)", "builds face databases by untargeted scraping?"],
  ["P8", "emotionAtWorkOrSchool", "Art.5(1)(f)", "infers emotions at work or in education other than for medical or safety reasons?"],
  ["P9", "biometricCategorisation", "Art.5(1)(g)", "sorts people by biometrics into race, opinion, union, belief, sex life or orientation?"],
  ["P10", "realTimeBiometricId", "Art.5(1)(h)", "real-time remote biometric identification in public for law enforcement outside the narrow exceptions?"],
]).map((question) => ({ ...question, from: omnibus.has(question.id) ? sinceOmnibus : sinceStart }));

export const annexIQuestions: readonly EuQuestion[] = [
  ...rows("annexI", declaredYes, [
    ["A1", "regulatedProduct", "Art.6(1)(a)", "is it a product or a safety component of a product under a law listed in Annex I Section A?"],
    ["A2", "thirdPartyAssessment", "Art.6(1)(b)", "does that product need third-party conformity assessment?"],
  ]),
  ...rows("annexI", judgedNo, [["A3", "onlyAssistance", "Art.6(1a)", "is it only non-safety user assistance, optimisation or convenience?"]]),
];

export const derogationQuestions: readonly EuQuestion[] = [
  ...rows("derogation", judgedYes, [["D0", "profiles", "Art.6(3)", "does it profile natural persons?"]]),
  ...rows("derogation", judgedNo, [
    ["D1", "narrowProcedural", "Art.6(3)(a)", "narrow procedural task only?"],
    ["D2", "improvesFinishedWork", "Art.6(3)(b)", "improves the result of work a person already finished?"],
    ["D3", "detectsPatterns", "Art.6(3)(c)", "finds patterns or deviations without replacing or swaying the earlier human judgement unreviewed?"],
    ["D4", "preparatory", "Art.6(3)(d)", "only preparatory to an assessment?"],
    ["D5", "noSignificantRisk", "Art.6(3)", "is there, with reasons, no significant risk to health, safety or fundamental rights?"],
  ]),
];

const providerDuty: ReadonlySet<string> = new Set(["T1", "T2"]);

export const transparencyQuestions: readonly EuQuestion[] = rows("transparency", declaredYes, [
  ["T1", "notObviouslyAi", "Art.50(1)", "talks directly with people and this is not obvious?"],
  ["T2", "syntheticContent", "Art.50(2)", "generates synthetic audio, image, video or text (beyond standard editing help)?"],
  ["T3", "emotionOrCategorisation", "Art.50(3)", "emotion recognition or biometric categorisation in use?"],
  ["T4", "deepFakesOrPublicText", "Art.50(4)", "deep fakes, or text on matters of public interest published without human review and editorial responsibility?"],
]).map((question) => ({ ...question, who: providerDuty.has(question.id) ? "provider" : "deployer" }));

export const gpaiQuestions: readonly EuQuestion[] = [
  ...rows("gpai", declaredYes, [
    ["G1", "placesModel", "Art.3(63)", "do you place a general-purpose model itself on the EU market?"],
    ["G2", "systemicRisk", "Art.51", "training compute above 10^25 FLOP or designated by the Commission?"],
  ]),
  ...rows("gpai", declaredNo, [["G3", "openLicence", "Art.53(2)", "released under a free and open licence with weights public and no systemic risk?"]]),
];

export const euQuestions: readonly EuQuestion[] = [
  ...scopeQuestions,
  ...roleQuestions,
  ...prohibitedQuestions,
  ...annexIQuestions,
  ...derogationQuestions,
  ...transparencyQuestions,
  ...gpaiQuestions,
];

/** Days on which the duties of a class begin. The class itself is computed from the first day on. */
export const dutiesFrom = { annexI: "2028-08-02", annexIII: "2027-12-02", transparency: "2026-08-02", gpai: "2025-08-02" } as const;
