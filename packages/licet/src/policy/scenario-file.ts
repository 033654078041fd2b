import { LicetError } from "@licet/contract";
import { z } from "zod";
import { quoted, type Diagnostic, type Path, type Problem } from "../inventory/diagnostic.ts";
import type { PolicyRequest } from "./request.ts";
import { readPackYaml, type NamedText } from "./pack-yaml.ts";
import { applyEdit, entityName, type Edit } from "./scenario-path.ts";
import { ScenarioRequest } from "./scenario-request.ts";

const scenariosMax = 500;
const fixturesMax = 100;
const editsMax = 100;

const PolicyIds = z.array(z.string().max(200)).max(1000).readonly();

const ScenarioExpectation = z.strictObject({
  decision: z.enum(["allow", "deny"]).describe("what must come out"),
  reasons: PolicyIds.optional().describe("the policies that determine it, all of them, in any order"),
  warnings: PolicyIds.optional().describe("policies of mode warn that would have forbidden"),
  shadowed: PolicyIds.optional().describe("policies of mode shadow that would have forbidden"),
  errors: PolicyIds.optional().describe("policies that could not be evaluated; left out: none"),
});
export type ScenarioExpectation = z.output<typeof ScenarioExpectation>;

const Paths = z.string().min(1).max(1000);

const ScenarioFile = z.strictObject({
  v: z.literal(1),
  fixtures: z.record(z.string().min(1).max(120), ScenarioRequest),
  scenarios: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(200),
        base: z.string().min(1).max(120),
        set: z.record(Paths, z.unknown()).optional(),
        remove: z.array(Paths).max(editsMax).optional(),
        expect: ScenarioExpectation,
      }),
    )
    .max(scenariosMax),
});
type ScenarioFile = z.output<typeof ScenarioFile>;

/** One request with what must come of it, and where it is written. */
export interface Scenario {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly name: string;
  readonly request: PolicyRequest;
  readonly expect: ScenarioExpectation;
}

export interface OpenedScenarios {
  readonly scenarios: readonly Scenario[];
  readonly diagnostics: readonly Diagnostic[];
}

/** The scenarios of a file; throws `scenario_malformed` with every diagnostic. */
export function readScenarios(text: string, path: string): readonly Scenario[] {
  const { scenarios, diagnostics } = openScenarios({ file: path, text });
  const [first] = diagnostics;
  if (first === undefined) return scenarios;
  throw new LicetError("scenario_malformed", { message: `${first.file}:${first.line}:${first.column}: ${first.message}`, at: { diagnostics } });
}

/** The scenarios of a file, and whatever is wrong with it, in one run. Never throws. */
export function openScenarios(file: NamedText): OpenedScenarios {
  const read = readPackYaml(ScenarioFile, file);
  if (read.kind === "refused") return { scenarios: [], diagnostics: read.diagnostics };
  const problems = fileProblems(read.value);
  const scenarios: Scenario[] = [];
  for (const [index, each] of read.value.scenarios.entries()) {
    const made = requestOf(each, { fixtures: read.value.fixtures, at: ["scenarios", index] });
    if (made.kind === "problems") problems.push(...made.problems);
    else scenarios.push({ file: file.file, ...start(read.place, ["scenarios", index, "name"]), name: each.name, request: made.request, expect: each.expect });
  }
  return { scenarios: problems.length > 0 ? [] : scenarios, diagnostics: problems.map(read.place) };
}

function start(place: (problem: Problem) => Diagnostic, path: Path): { readonly line: number; readonly column: number } {
  const { line, column } = place({ code: "scenario_malformed", message: "", path });
  return { line, column };
}

function fileProblems({ fixtures, scenarios }: ScenarioFile): Problem[] {
  const names = scenarios.map(({ name }) => name);
  const twice = scenarios.flatMap(({ name }, index): readonly Problem[] => (names.indexOf(name) === index ? [] : [{ code: "scenario_malformed", message: `two scenarios are named ${quoted(name)}`, path: ["scenarios", index, "name"], fix: "give each its own name" }]));
  const crowd: readonly Problem[] = Object.keys(fixtures).length > fixturesMax ? [{ code: "scenario_malformed", message: `there are more than ${fixturesMax} fixtures`, path: ["fixtures"], fix: "split the file" }] : [];
  return [...twice, ...crowd];
}

type Made = { readonly kind: "request"; readonly request: PolicyRequest } | { readonly kind: "problems"; readonly problems: readonly Problem[] };

interface Around {
  readonly fixtures: ScenarioFile["fixtures"];
  readonly at: Path;
}

function requestOf(scenario: ScenarioFile["scenarios"][number], { fixtures, at }: Around): Made {
  const base = Object.hasOwn(fixtures, scenario.base) ? fixtures[scenario.base] : undefined;
  if (base === undefined) return { kind: "problems", problems: [{ code: "scenario_malformed", message: `there is no fixture ${quoted(scenario.base)}`, path: [...at, "base"], fix: `use one of ${Object.keys(fixtures).slice(0, 20).map(quoted).join(", ")}` }] };
  const removals = (scenario.remove ?? []).map((path, index) => ({ edit: { kind: "remove", path } as const, place: [...at, "remove", index] }));
  const settings = Object.entries(scenario.set ?? {}).map(([path, value]) => ({ edit: { kind: "set", path, value } as const, place: [...at, "set", path] }));
  return edited(base, [...removals, ...settings], at);
}

interface PlacedEdit {
  readonly edit: Edit;
  readonly place: Path;
}

function edited(base: PolicyRequest, edits: readonly PlacedEdit[], at: Path): Made {
  const entities = Object.fromEntries(base.entities.map((entity) => [entityName(entity.uid), entity]));
  const draft: Record<string, unknown> = structuredClone({ ...base, entities });
  const problems = edits.flatMap(({ edit, place }): readonly Problem[] => {
    const message = applyEdit(draft, edit);
    return message === undefined ? [] : [{ code: "scenario_malformed", message, path: place }];
  });
  if (problems.length > 0) return { kind: "problems", problems };
  const parsed = ScenarioRequest.safeParse({ ...draft, entities: listed(draft["entities"]) });
  if (parsed.success) return { kind: "request", request: parsed.data };
  const [issue] = parsed.error.issues;
  return { kind: "problems", problems: [{ code: "scenario_malformed", message: `what \`set\` makes is not a request: \`${issue?.path.join(".") ?? ""}\` ${issue?.message ?? ""}`, path: [...at, "set"] }] };
}

/** An entity that was set by its path need not repeat its name. */
function listed(entities: unknown): unknown {
  if (typeof entities !== "object" || entities === null) return entities;
  return Object.entries(entities).map(([uid, entity]: [string, unknown]) => (typeof entity === "object" && entity !== null ? { uid, ...entity } : entity));
}
