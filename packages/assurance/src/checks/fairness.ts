import { LicetError, type CheckResult, type FairnessCheck, type FairnessGroup, type ModelCheck } from "@licet/contract";
import { z } from "zod";
import { type Grouping, intersect } from "../fairness/grouping.ts";
import { decideMeanParity, measureCalibrationParity } from "../fairness/mean-parity.ts";
import { decideParity, measureParity, parityUnit } from "../fairness/parity.ts";
import { positives, predictedPositive, scoredOf } from "../performance/answered.ts";
import type { Components } from "../suite/component.ts";
import type { Table } from "../table/table.ts";
import { countsOf } from "../verdict/settle.ts";
import { amongAnswered, columnGroups, groupRows } from "./groups.ts";
import { inputOf } from "./loaded.ts";
import { count, evidence, groupMean, name } from "./model-figures.ts";
import { scoringOf } from "./scoring.ts";
import { statisticsCheck } from "./statistics.ts";

type Of<Id extends ModelCheck["check"]> = Extract<ModelCheck, { check: Id }>;
type ParityDeclared = FairnessCheck | Of<"fair.accuracy"> | Of<"fair.fourfifths">;
type Parity = Omit<ReturnType<typeof measureParity>, "notes">;

/** Every pair of them is compared, and by whoever derives the verdict again. */
const groupsComparedMax = 100;

const groupForm = z.object({ name, n: count, positives: count, selected: count, tp: count });

/** A comparison of rates between the declared groups. */
function parityOf(check: ParityDeclared["check"]) {
  return statisticsCheck<ParityDeclared, Parity>({
    check,
    version: check === "fair.fourfifths" ? "2" : "3",
    exact: true,
    op: check === "fair.fourfifths" ? ">=" : "<=",
    unit: parityUnit(check),
    limitValue: (declared) => (declared.check === "fair.fourfifths" ? declared.min : declared.max),
    figures: z.object({ ...evidence, check: z.literal(check), groups: z.array(groupForm).max(groupsComparedMax), leftOut: z.array(z.object({ name, n: count })).max(2500) }),
    components: (declared) => [declared.model, declared.dataset, ...referenceOf(declared)],
    cases: ({ groups }) => [{ of: "", n: groups.reduce((sum, { n }) => sum + n, 0) }],
    measure: async (declared, files) => {
      const { predictions, table, found } = await scoringOf(declared, files);
      const declaredGroups = await groupsOf(declared, table, files);
      const grouping = amongAnswered(declaredGroups.grouping, predictions.scores);
      const { notes, ...figures } = measureParity({ positive: positives(predictions), predicted: predictedPositive(predictions), grouping }, { check, intersection: declaredGroups.intersection });
      if (figures.groups.length > groupsComparedMax) throw new LicetError("table_value_invalid", { message: `the columns make ${figures.groups.length} groups: at most ${groupsComparedMax} are compared`, at: { groups: figures.groups.length } });
      const inputs = [...found.inputs, ...declaredGroups.inputs];
      // How often something is answered does not rest on what is true.
      const oneClass = found.oneClass && check !== "fair.parity" && check !== "fair.fourfifths";
      return { ...found, inputs, oneClass, group: declaredGroups.name, figures, counts: countsOf(figures), notes };
    },
    decide: (figures, limit) => decideParity({ ...figures, notes: [] }, limit),
  });
}

function referenceOf(declared: ParityDeclared): readonly string[] {
  const parts = "group" in declared ? partsOf(declared.group) : [];
  return [...new Set(parts.flatMap(({ transform }) => (transform.kind === "median-split" ? [transform.of] : [])))];
}

type Part = Pick<FairnessGroup, "column" | "transform">;

/** One column, or two whose values are combined. */
function partsOf({ and, ...first }: FairnessGroup): readonly Part[] {
  return and === undefined ? [first] : [first, and];
}

function declaredParts(declared: ParityDeclared): readonly Part[] {
  if ("group" in declared) return partsOf(declared.group);
  const { column, and } = declared.by;
  return [column, ...(and === undefined ? [] : [and])].map((each) => ({ column: each, transform: { kind: "value" } }));
}

interface DeclaredGroups {
  readonly name: string;
  readonly grouping: Grouping;
  readonly intersection: boolean;
  readonly inputs: CheckResult["inputs"];
}

async function groupsOf(declared: ParityDeclared, table: Table, files: Components): Promise<DeclaredGroups> {
  const { name: said } = "by" in declared ? declared.by : declared.group;
  const groupings: Grouping[] = [];
  for (const part of declaredParts(declared)) {
    const reference = part.transform.kind === "median-split" ? await files.table(part.transform.of) : undefined;
    groupings.push(groupRows(part, table, reference?.content));
  }
  const [first, second] = groupings;
  if (first === undefined) throw new TypeError("a group has a column");
  const references = await Promise.all(referenceOf(declared).map((each) => files.table(each)));
  return { name: said, grouping: second === undefined ? first : intersect(first, second), intersection: second !== undefined, inputs: references.map((each) => inputOf("reference", each)) };
}

const calibration = statisticsCheck<Of<"fair.calibration">, Omit<ReturnType<typeof measureCalibrationParity>, "notes">>({
  check: "fair.calibration",
  version: "3",
  op: "<=",
  exact: true,
  unit: "largest difference in calibration between groups",
  figures: z.object({ ...evidence, check: z.literal("fair.calibration"), groups: z.array(groupMean).max(50) }),
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
