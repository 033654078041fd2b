import { EuAnswers, riskLevels } from "@licet/contract";

/** The questions under one mapping of `risk:` that every manifest should answer. */
export interface OwedAnswers {
  readonly path: readonly string[];
  readonly keys: readonly string[];
}

/** Read off the components; declared only to be stricter. */
const readOff: ReadonlySet<string> = new Set(["data", "toolPower"]);

/** Derogation and carve-outs are claims, and the model track asks on only after a yes: none is owed. */
const claims: ReadonlySet<string> = new Set(["derogation", "carveOuts", "onlyAssistance", "systemicRisk", "openLicence", "openSource"]);

export const owedAnswers: readonly OwedAnswers[] = [
  { path: ["risk"], keys: Object.keys(riskLevels).filter((key) => !readOff.has(key)) },
  ...Object.entries(EuAnswers.shape).flatMap(([section, schema]) => {
    const inner = schema.unwrap();
    if (claims.has(section) || !("shape" in inner)) return [];
    return [{ path: ["risk", "eu", section], keys: Object.keys(inner.shape).filter((key) => !claims.has(key)) }];
  }),
  { path: ["risk", "eu"], keys: ["annexIII"] },
];
