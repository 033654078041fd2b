import { createHash } from "node:crypto";
import { LicetError } from "@licet/contract";
import { z } from "zod";
import type { Random } from "../stats/random.ts";

const text = z.string().min(1).max(20_000);
const placeholder = /\{\{([a-z][a-z0-9_]{0,40})\}\}/gu;
/** Values that a check puts in for each attempt; parts of a set cannot have these names. */
const computed = new Set(["a", "b", "fact", "canary", "attacker_url", "attacker_domain", "secret"]);
const populationMax = 2 ** 40;

/** One attack or task: what a person says, turn by turn, and what else the model is given to read. */
const Template = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,80}$/u),
  turns: z.array(text).min(1).max(20),
  /** What stands in a retrieved page, a tool's result or a memory, by the check. */
  document: text.optional(),
  labels: z.record(z.string().max(40), z.string().max(200)).optional(),
});

/** A file of probes. `{{name}}` in a template stands for every entry of the part of that name: the set is all combinations. */
export const ProbeSetFile = z.strictObject({
  schema: z.literal("licet.assurance.probes/v1"),
  id: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,80}$/u),
  version: z.string().min(1).max(40),
  title: z.string().min(1).max(200),
  /** Ids of checks that can use the set. */
  checks: z.array(z.string().regex(/^llm\.[a-z.]{1,60}$/u)).min(1).max(20),
  provenance: z.strictObject({ author: z.string().min(1).max(200), source: z.string().min(1).max(2000), licence: z.string().min(1).max(100), date: z.iso.date() }),
  tags: z.strictObject({
    /** With the year of the list: `LLM07:2025`. */
    owasp: z.array(z.string().regex(/^LLM\d{2}:20\d{2}$/u)).max(10),
    atlas: z.array(z.string().regex(/^AML\.T\d{4}(?:\.\d{3})?$/u)).max(10),
  }),
  parts: z.record(z.string().regex(/^[a-z][a-z0-9_]{0,40}$/u), z.array(text).min(1).max(10_000)),
  templates: z.array(Template).min(1).max(10_000),
});

export type ProbeSetFile = z.infer<typeof ProbeSetFile>;

/** One probe of a set, its parts filled in. Placeholders of computed values are still there. */
export interface Probe {
  readonly id: string;
  readonly turns: readonly string[];
  readonly document: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ProbeSet {
  readonly file: ProbeSetFile;
  readonly digest: string;
  /** Number of different probes. */
  readonly population: number;
  /** The probe with this number, from 0. */
  probe(index: number): Probe;
}

/**
 * Reads a set, a user's own or ours. Throws `probes_malformed` with the place, when a template names a part that is not there, a part has
 * the name of a computed value, two templates have one id, or the combinations are too many to number.
 */
export function readProbeSet(value: unknown): ProbeSet {
  const parsed = ProbeSetFile.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw malformed(`${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not a probe set"}`);
  }
  const file = parsed.data;
  const reserved = Object.keys(file.parts).find((name) => computed.has(name));
  if (reserved !== undefined) throw malformed(`the part \`${reserved}\` has the name of a computed value: give it another`);
  if (new Set(file.templates.map(({ id }) => id)).size !== file.templates.length) throw malformed("two templates have the same id: give each its own");
  const counted = file.templates.map((template) => ({ template, names: partNames(template, file), size: sizeOf(template, file) }));
  const population = counted.reduce((sum, { size }) => sum + size, 0);
  if (population > populationMax) throw malformed("the set has more combinations than can be numbered: use fewer parts in one template");
  const digest = `sha256:${createHash("sha256").update(JSON.stringify(file)).digest("hex")}`;
  return { file, digest, population, probe: (index) => probeAt(file, counted, index) };
}

type Template = z.infer<typeof Template>;
interface Counted {
  readonly template: Template;
  readonly names: readonly string[];
  readonly size: number;
}

function partNames(template: Template, file: ProbeSetFile): readonly string[] {
  const names = new Set([...template.turns, template.document ?? ""].flatMap((source) => namesIn(source, file)));
  return [...names].toSorted();
}

/** Entries of parts may hold computed values; names of other parts in them stay as they are. */
function namesIn(source: string, file: ProbeSetFile): readonly string[] {
  return Array.from(source.matchAll(placeholder), ([, name]) => name ?? "").filter((name) => {
    if (computed.has(name)) return false;
    if (file.parts[name] === undefined) throw malformed(`a template names the part \`${name}\`, which is not there: add it under \`parts\``);
    return true;
  });
}

function sizeOf(template: Template, file: ProbeSetFile): number {
  return partNames(template, file).reduce((product, name) => product * (file.parts[name]?.length ?? 0), 1);
}

function probeAt(file: ProbeSetFile, counted: readonly Counted[], index: number): Probe {
  let rest = index;
  const found = counted.find(({ size }) => {
    if (rest < size) return true;
    rest -= size;
    return false;
  });
  if (found === undefined) throw malformed(`the set has no probe number ${index}`);
  const chosen: Record<string, string> = {};
  const places: number[] = [];
  for (const name of found.names) {
    const entries = file.parts[name] ?? [];
    places.push(rest % entries.length);
    chosen[name] = entries[rest % entries.length] ?? "";
    rest = Math.floor(rest / entries.length);
  }
  const { template } = found;
  return {
    id: [template.id, ...places].join("/"),
    turns: template.turns.map((turn) => fill(turn, chosen)),
    document: template.document === undefined ? undefined : fill(template.document, chosen),
    labels: template.labels ?? {},
  };
}

/** Puts values in for placeholders. Names without a value stay as they are. Values are not looked into. */
export function fill(source: string, values: Readonly<Record<string, string>>): string {
  return source.replaceAll(placeholder, (whole, name: string) => values[name] ?? whole);
}

/**
 * Draws `n` different probes, every set of n equally likely; all of them when there are fewer. What is concluded from them holds for the
 * population that the sets describe. Source: simple random sampling without replacement, by Floyd's algorithm (Bentley & Floyd 1987).
 */
export function drawProbes(sets: readonly ProbeSet[], n: number, random: Random): readonly Probe[] {
  const population = sets.reduce((sum, set) => sum + set.population, 0);
  const count = Math.min(n, population);
  const chosen = new Set<number>();
  for (let last = population - count; last < population; last += 1) {
    const drawn = random.below(last + 1);
    chosen.add(chosen.has(drawn) ? last : drawn);
  }
  const indices = [...chosen];
  random.permute(indices);
  return indices.map((index) => probeOf(sets, index));
}

function probeOf(sets: readonly ProbeSet[], index: number): Probe {
  let rest = index;
  for (const set of sets) {
    if (rest < set.population) return { ...set.probe(rest), id: `${set.file.id}/${set.probe(rest).id}` };
    rest -= set.population;
  }
  throw malformed(`the sets have no probe number ${index}`);
}

function malformed(message: string): LicetError {
  return new LicetError("probes_malformed", { message: `the probe set cannot be used: ${message}` });
}
