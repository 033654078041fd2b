import { AssuranceSection, DataBoundary, Oversight, Owners, type Model, type Prompt } from "@licet/contract";
import { isRecord } from "@licet/evidence";
import { declaredPart, type Declared, type DeclaredComponents } from "./declared.ts";
import { quoted, type Path, type Problem } from "./diagnostic.ts";
import { holePattern } from "./hole-pattern.ts";
import { owedAnswers } from "./owed-answers.ts";
import { suggest } from "./suggest.ts";

/** What holds between fields. Looks at every part that has the right shape, so that all errors come in one run. */
export function checkFacts(data: unknown, components: DeclaredComponents): readonly Problem[] {
  return [
    ...people(data),
    ...jurisdictions(data),
    ...duplicateNames(components),
    ...alternatives(components),
    ...components.models.flatMap(bounds),
    ...standIns(components.models),
    ...components.prompts.flatMap(patterns),
    ...classes(data, components),
    ...references(data, components),
    ...answers(data),
  ];
}

function people(data: unknown): readonly Problem[] {
  const owners = declaredPart(data, "owners", Owners);
  const oversight = declaredPart(data, "oversight", Oversight);
  const problems: Problem[] = [];
  if (owners !== undefined && owners.business.toLowerCase() === owners.technical.toLowerCase()) {
    problems.push({ code: "manifest_same_owners", message: `${quoted(owners.technical)} is both business and technical owner`, path: ["owners", "technical"] });
  }
  if (oversight !== undefined && oversight.mode !== "none" && oversight.overseer === undefined) {
    problems.push({ code: "manifest_overseer_missing", message: `oversight by ${quoted(oversight.mode)} names no overseer`, path: ["oversight", "mode"] });
  }
  return problems;
}

function jurisdictions(data: unknown): readonly Problem[] {
  const list: unknown = isRecord(data) ? data["jurisdictions"] : undefined;
  if (!Array.isArray(list)) return [];
  const names = new Intl.DisplayNames("en", { type: "region", fallback: "none" });
  return list.flatMap((code: unknown, index): readonly Problem[] => {
    if (typeof code !== "string" || !/^[A-Z]{2}$/u.test(code) || (code !== "ZZ" && names.of(code) !== undefined)) return [];
    return [{ code: "manifest_jurisdiction", message: `${quoted(code)} is not a country or territory`, path: ["jurisdictions", index] }];
  });
}

function duplicateNames(components: DeclaredComponents): readonly Problem[] {
  return Object.values(components).flatMap((list: readonly Declared<{ readonly name: string }>[]) => {
    const seen = new Set<string>();
    return list.flatMap(({ value, path }): readonly Problem[] => {
      const twice = seen.has(value.name);
      seen.add(value.name);
      return twice ? [{ code: "manifest_duplicate_name", message: `${quoted(value.name)} is already the name of another one`, path: [...path, "name"] }] : [];
    });
  });
}

function alternatives(components: DeclaredComponents): readonly Problem[] {
  return [
    ...components.prompts.flatMap(({ value, path }) => oneOf(path, ["file", value.file], ["text", value.text])),
    ...components.tools.flatMap(({ value, path }) => oneOf(path, ["file", value.file], ["schema", value.schema])),
    ...components.datasets.flatMap(({ value, path }): readonly Problem[] => [
      ...(value.file === undefined && value.digest === undefined ? oneOf(path, ["file", undefined], ["digest", undefined]) : []),
      ...(value.consent === undefined && value.licence === undefined ? [{ code: "manifest_ground_missing" as const, message: `the dataset ${quoted(value.name)} has neither consent nor licence`, path }] : []),
    ]),
    ...components.models.flatMap(({ value, path }) => (value.scoring === undefined ? [] : oneOf(path, ["file", value.file], ["scoring", value.scoring]))),
    ...components.models.flatMap(({ value, path }): readonly Problem[] =>
      value.provider === "local" && value.file === undefined ? [{ code: "manifest_missing", message: `the local model ${quoted(value.name)} names no file`, path: [...path, "file"], fix: "add `file:` with the path of the weights" }] : [],
    ),
  ];
}

function oneOf(path: Path, a: readonly [string, unknown], b: readonly [string, unknown]): readonly Problem[] {
  if ((a[1] === undefined) !== (b[1] === undefined)) return [];
  const both = a[1] !== undefined;
  return [{ code: "manifest_one_of", message: both ? `both ${quoted(a[0])} and ${quoted(b[0])} are given` : `neither ${quoted(a[0])} nor ${quoted(b[0])} is given`, path: both ? [...path, b[0]] : path }];
}

function bounds({ value, path }: Declared<Model>): readonly Problem[] {
  return Object.entries(value.parameters ?? {}).flatMap(([name, bound]): readonly Problem[] => {
    if (bound === undefined) return [];
    const at = [...path, "parameters", name];
    if (bound.min === undefined && bound.max === undefined) return [{ code: "manifest_bounds", message: `${quoted(name)} has neither \`min\` nor \`max\``, path: at }];
    return (bound.min ?? -Infinity) > (bound.max ?? Infinity) ? [{ code: "manifest_bounds", message: `${quoted(name)} has a \`min\` above its \`max\``, path: at }] : [];
  });
}

function patterns({ value, path }: Declared<Prompt>): readonly Problem[] {
  return Object.entries(value.template?.holes ?? {}).flatMap(([name, hole]): readonly Problem[] => {
    const compiled = holePattern(hole);
    return compiled.kind === "pattern" ? [] : [{ code: "manifest_pattern", message: `the pattern of hole ${quoted(name)} cannot be used: ${compiled.reason}`, path: [...path, "template", "holes", name, "pattern"] }];
  });
}

function classes(data: unknown, components: DeclaredComponents): readonly Problem[] {
  const boundary = declaredPart(data, "dataBoundary", DataBoundary);
  if (boundary === undefined) return [];
  const outside = (name: string, path: Path): readonly Problem[] => [{ code: "manifest_outside_boundary", message: `the class ${quoted(name)} is not listed in \`dataBoundary.classes\``, path }];
  return [
    ...components.datasets.flatMap(({ value, path }) => (boundary.classes.includes(value.sensitivity) ? [] : outside(value.sensitivity, [...path, "sensitivity"]))),
    ...boundary.sharingPaths.flatMap((sharing, at) =>
      sharing.classes.flatMap((name, index) => (boundary.classes.includes(name) ? [] : outside(name, ["dataBoundary", "sharingPaths", at, "classes", index]))),
    ),
  ];
}

function references(data: unknown, components: DeclaredComponents): readonly Problem[] {
  const assurance = declaredPart(data, "assurance", AssuranceSection);
  const names = (of: readonly Declared<{ readonly name: string }>[]) => of.map(({ value }) => value.name);
  const known = { model: names(components.models), dataset: names(components.datasets), "model or dataset": [...names(components.models), ...names(components.datasets)] } as const;
  return (assurance?.checks ?? []).flatMap((check, index) => {
    const path = ["assurance", "checks", index];
    const groups = "group" in check ? [{ at: ["group"], ...check.group }, ...(check.group.and === undefined ? [] : [{ at: ["group", "and"], ...check.group.and }])] : [];
    return [
      ...Object.entries(check).flatMap(([key, name]) => {
        const kind = kindOfReference[key];
        return kind === undefined || typeof name !== "string" ? [] : unknownName(kind, name, known[kind], [...path, key]);
      }),
      ...groups.flatMap(({ at, transform }) => (transform.kind === "median-split" ? unknownName("dataset", transform.of, known.dataset, [...path, ...at, "transform", "of"]) : [])),
    ];
  });
}

/** Members of checks that name a component. */
const kindOfReference: Readonly<Record<string, "model" | "dataset" | "model or dataset" | undefined>> = {
  model: "model",
  champion: "model",
  dataset: "dataset",
  reference: "dataset",
  members: "dataset",
  population: "dataset",
  attacker: "dataset",
  sample: "dataset",
  artifact: "model or dataset",
  report: "dataset",
  behaviours: "dataset",
  labelled: "dataset",
  judge: "model",
  calls: "dataset",
  probes: "dataset",
};

/** Who may answer in a model's place: another declared model. */
function standIns(models: readonly Declared<Model>[]): readonly Problem[] {
  const known = models.map(({ value }) => value.name);
  return models.flatMap(({ value: { name: own, fallback = [] }, path }) =>
    fallback.flatMap((name, index): readonly Problem[] => {
      const wrong = standInFault({ own, name, known, before: fallback.slice(0, index) });
      return wrong === undefined ? [] : [{ code: "manifest_fallback", message: wrong, path: [...path, "fallback", index] }];
    }),
  );
}

function standInFault({ own, name, known, before }: { readonly own: string; readonly name: string; readonly known: readonly string[]; readonly before: readonly string[] }): string | undefined {
  if (name === own) return `${quoted(name)} cannot stand in for itself`;
  if (before.includes(name)) return `${quoted(name)} stands twice`;
  return known.includes(name) ? undefined : nobodyCalled("model", name, known);
}

function unknownName(kind: string, name: string, known: readonly string[], path: Path): readonly Problem[] {
  return known.includes(name) ? [] : [{ code: "manifest_unknown_reference", message: nobodyCalled(kind, name, known), path }];
}

function nobodyCalled(kind: string, name: string, known: readonly string[]): string {
  const meant = suggest(name, known);
  return `no ${kind} is called ${quoted(name)}${meant === undefined ? "" : `; did you mean ${quoted(meant)}?`}`;
}

/** One warning for each part of the questionnaire, not one for each of forty questions. */
function answers(data: unknown): readonly Problem[] {
  return owedAnswers.flatMap(({ path, keys }): readonly Problem[] => {
    const given = mappingAt(data, path);
    const open = keys.filter((key) => given[key] === undefined);
    if (open.length === 0) return [];
    const message = `not answered under ${quoted(path.join("."))}, so the strictest answer holds: ${open.join(", ")}`;
    return [{ code: "manifest_answer_missing", severity: "warning", message, path, atKey: true }];
  });
}

function mappingAt(data: unknown, path: readonly string[]): Readonly<Record<string, unknown>> {
  let here = data;
  for (const key of path) here = isRecord(here) ? here[key] : undefined;
  return isRecord(here) ? here : {};
}
