import { authorize, CedarError, compilePolicySet, compileSchema, entityStore, prepareRequest, type EntityJson, type PolicySet, type PolicySetJson, type RequestJson, type Schema, type SchemaJson } from "../../packages/cedar/src/index.ts";
import type { Json } from "./cedar-data.ts";
import type { Call, WasmAnswer } from "./cedar-wasm.ts";

/** What one of the two evaluators says, in a form in which both can be compared. */
export type Outcome = WasmAnswer | { readonly kind: "crashed"; readonly message: string };

export type Read<T> = { readonly kind: "read"; readonly value: T } | Exclude<Outcome, { readonly kind: "answer" }>;

/** Runs a reader of ours: it may refuse, by a `CedarError`, and nothing else. */
export function attempt<T>(read: () => T): Read<T> {
  try {
    return { kind: "read", value: read() };
  } catch (error) {
    if (error instanceof CedarError) return { kind: "refused", message: `${error.code} ${error.message}` };
    return { kind: "crashed", message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

export function readPolicies(json: Json): Read<PolicySet> {
  return attempt(() => compilePolicySet(json as PolicySetJson));
}

export function readSchema(json: Json): Read<Schema> {
  return attempt(() => compileSchema(json as SchemaJson));
}

export interface DecideOptions {
  readonly policies: PolicySet;
  readonly schema?: Schema | undefined;
  /** So many of the entities lie in a store below the other one. */
  readonly below?: number;
}

export function decide(call: Call, { policies, schema, below = 0 }: DecideOptions): Outcome {
  const run = attempt(() => {
    const request = prepareRequest(call as RequestJson, { schema });
    const entities = call.entities as readonly EntityJson[];
    const base = below > 0 && Array.isArray(entities) ? entityStore(entities.slice(0, below), { schema }) : undefined;
    const store = entityStore(base === undefined ? entities : entities.slice(below), { schema, base });
    return authorize(policies, request, store);
  });
  if (run.kind !== "read") return run;
  const { decision, reasons, errors } = run.value;
  return { kind: "answer", decision, reasons, errors: errors.map(({ policy }) => policy) };
}

/** The outcome as a text: equal exactly where both decide the same for the same reasons, or both refuse. */
export function summary(outcome: Outcome): string {
  if (outcome.kind === "refused") return "refused";
  if (outcome.kind === "crashed") return `crashed: ${outcome.message}`;
  return `${outcome.decision} by [${outcome.reasons.toSorted().join(" ")}], failed [${outcome.errors.toSorted().join(" ")}]`;
}

/** Policies that one side lists and the other does not. */
export function differing(left: Outcome, right: Outcome): readonly string[] {
  if (left.kind !== "answer" || right.kind !== "answer") return [];
  const of = ({ reasons, errors }: typeof left) => new Set([...reasons.map((id) => `reason ${id}`), ...errors.map((id) => `error ${id}`)]);
  const [here, there] = [of(left), of(right)];
  const alone = [...[...here].filter((each) => !there.has(each)), ...[...there].filter((each) => !here.has(each))];
  return [...new Set(alone.map((each) => each.slice(each.indexOf(" ") + 1)))];
}

/** JSON in which a bigint is the text of its digits and an `n`. */
export function printable(value: unknown): unknown {
  if (typeof value === "bigint") return `${value}n`;
  if (Array.isArray(value)) return value.map(printable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, printable(each)]));
}
