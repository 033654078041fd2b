import type { PolicySet, Schema } from "../../packages/cedar/src/index.ts";
import { parseExactly } from "./cedar-wasm.ts";
import { decide, readPolicies, readSchema, summary, type Outcome, type Read } from "./cedar-compare.ts";

/** What cedar-wasm was asked and what it said, in order: policies, schemas and entities hold until others come. */
export type Step =
  | { readonly step: "policies" | "schema"; readonly json: unknown; readonly taken: boolean }
  | { readonly step: "entities"; readonly json: unknown }
  | { readonly step: "decide"; readonly call: { readonly principal: unknown; readonly action: unknown; readonly resource: unknown; readonly context: unknown }; readonly schema: boolean; readonly said: string };

// Read by the oracle's parser and not the library's: a mutant of that one must not change the questions.

/** A run stands on its own: it begins with the schema or the policies that its decisions need. Read when it is asked for. */
export interface Run {
  readonly steps: () => readonly Step[];
}

export function readRuns(text: string): readonly Run[] {
  const runs: string[][] = [];
  let before: string | undefined;
  for (const line of text.split("\n")) {
    const kind = /^\{"step":"(\w+)"/u.exec(line)?.[1];
    if (kind === "schema" || (kind === "policies" && before !== "schema")) runs.push([]);
    runs.at(-1)?.push(line);
    before = kind;
  }
  return runs.map((lines) => {
    let steps: readonly Step[] | undefined;
    return { steps: () => (steps ??= lines.map((line) => parseExactly(line) as Step)) };
  });
}

interface State {
  policies: PolicySet | undefined;
  schema: Schema | undefined;
  entities: unknown;
}

/** The first difference of a run, in words. */
export function replay(steps: readonly Step[]): string | undefined {
  const state: State = { policies: undefined, schema: undefined, entities: [] };
  for (const [index, step] of steps.entries()) {
    const difference = follow(step, state, index);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function follow(step: Step, state: State, index: number): string | undefined {
  if (step.step === "policies") return same(step, keep(readPolicies(step.json), (value) => (state.policies = value)));
  if (step.step === "schema") return same(step, keep(readSchema(step.json), (value) => (state.schema = value)));
  if (step.step === "decide") {
    const ours = decided(step, state, index);
    return ours === undefined || summary(ours) === step.said ? undefined : `${summary(ours)}; cedar-wasm: ${step.said}`;
  }
  state.entities = step.json;
  return undefined;
}

function keep<T>(read: Read<T>, held: (value: T | undefined) => void): string {
  held(read.kind === "read" ? read.value : undefined);
  return read.kind === "read" ? "taken" : read.kind;
}

function same({ step, taken }: Step & { readonly step: "policies" | "schema" }, said: string): string | undefined {
  return said === (taken ? "taken" : "refused") ? undefined : `${step} ${said}; cedar-wasm: ${taken ? "taken" : "refused"}`;
}

function decided({ call, schema }: Step & { readonly step: "decide" }, state: State, index: number): Outcome | undefined {
  if (state.policies === undefined || (schema && state.schema === undefined)) return undefined;
  const { entities, policies } = state;
  // Some decisions are made over two layers.
  const below = !schema && index % 3 === 0 && Array.isArray(entities) ? Math.floor(entities.length / 2) : 0;
  return decide({ ...call, entities }, { policies, below, ...(schema ? { schema: state.schema } : {}) });
}
