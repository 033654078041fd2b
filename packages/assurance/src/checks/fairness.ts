import type { CheckResult, FairnessCheck, ModelCheck } from "@licet/contract";
import { z } from "zod";
import type { Grouping } from "../fairness/grouping.ts";
import { decideMeanParity, measureCalibrationParity } from "../fairness/mean-parity.ts";
import { decideParity, measureParity, parityUnit } from "../fairness/parity.ts";
import { positives, predictedPositive, scoredOf } from "../performance/answered.ts";
import type { Components } from "../suite/component.ts";
import type { Table } from "../table/table.ts";
import { countsOf } from "../verdict/settle.ts";
import { amongAnswered, columnGroups, groupRows } from "./groups.ts";
import { inputOf } from "./loaded.ts";
import { count, evidence, name } from "./model-figures.ts";
import { scoringOf } from "./scoring.ts";
import { statisticsCheck } from "./statistics.ts";

type Of<Id extends ModelCheck["check"]> = Extract<ModelCheck, { check: Id }>;
type ParityDeclared = FairnessCheck | Of<"fair.accuracy"> | Of<"fair.fourfifths">;
type Parity = Omit<ReturnType<typeof measureParity>, "notes">;

const groupForm = z.object({ name, n: count, positives: count, selected: count, tp: count });

/** A comparison of rates between the declared groups. */
function parityOf(check: ParityDeclared["check"]) {
  return statisticsCheck<ParityDeclared, Parity>({
    check,
    version: "2",
    exact: true,
    op: check === "fair.fourfifths" ? ">=" : "<=",
    unit: parityUnit(check),
    limitValue: (declared) => (declared.check === "fair.fourfifths" ? declared.min : declared.max),
    figures: z.object({ ...evidence, check: z.literal(check), groups: z.array(groupForm).max(50), leftOut: z.array(z.object({ name, n: count })).max(2500) }),
    components: (declared) => [declared.model, declared.dataset, ...referenceOf(declared)],
    cases: ({ groups }) => [{ of: "", n: groups.reduce((sum, { n }) => sum + n, 0) }],
    measure: async (declared, files) => {
      const { predictions, table, found } = await scoringOf(declared, files);
      const declaredGroups = await groupsOf(declared, table, files);
      const grouping = amongAnswered(declaredGroups.grouping, predictions.scores);
      const { notes, ...figures } = measureParity({ positive: positives(predictions), predicted: predictedPositive(predictions), grouping }, { check });
      const inputs = [...found.inputs, ...declaredGroups.inputs];
      return { ...found, inputs, group: declaredGroups.name, figures, counts: countsOf(figures), notes };
    },
    decide: (figures, limit) => decideParity({ ...figures, notes: [] }, limit),
  });
}

function referenceOf(declared: ParityDeclared): readonly string[] {
  return "group" in declared && declared.group.transform.kind === "median-split" ? [declared.group.transform.of] : [];
}

interface DeclaredGroups {
  readonly name: string;
  readonly grouping: Grouping;
  readonly inputs: CheckResult["inputs"];
}

async function groupsOf(declared: ParityDeclared, table: Table, files: Components): Promise<DeclaredGroups> {
  if ("by" in declared) return { name: declared.by.name, grouping: columnGroups(table, declared.by.column), inputs: [] };
  const [of] = referenceOf(declared);
  const reference = of === undefined ? undefined : await files.table(of);
  return { name: declared.group.name, grouping: groupRows(declared.group, table, reference?.content), inputs: reference === undefined ? [] : [inputOf("reference", reference)] };
}

const calibration = statisticsCheck<Of<"fair.calibration">, Omit<ReturnType<typeof measureCalibrationParity>, "notes">>({
  check: "fair.calibration",
  version: "2",
  op: "<=",
  exact: true,
  unit: "largest difference in calibration between groups",
  figures: z.object({ ...evidence, check: z.literal("fair.calibration"), groups: z.array(z.object({ name, n: count, mean: z.number(), sd: z.number() })).max(50) }),
  limitValue: ({ max }) => max,
  components: ({ model, dataset }) => [model, dataset],
  measure: async (declared, files) => {
    const { predictions, table, found } = await scoringOf(declared, files);
    const grouping = amongAnswered(columnGroups(table, declared.by.column), predictions.scores);
    const { notes, ...figures } = measureCalibrationParity({ ...scoredOf(predictions), grouping });
    return { ...found, group: declared.by.name, figures, counts: countsOf(figures), notes };
  },
  decide: (figures, limit) => decideMeanParity({ ...figures, notes: [] }, limit),
});

export const fairnessChecks = [parityOf("fair.opportunity"), parityOf("fair.parity"), parityOf("fair.odds"), parityOf("fair.accuracy"), parityOf("fair.fourfifths"), calibration] as const;
