import { z } from "zod";
import { parse } from "yaml";
import { refuse, type Refusal } from "../gateway/refusal.ts";
import type { Evaluation } from "./protocol.ts";

/** The types that the AuthZEN Obligations Profile registers, with the members that each must have. */
const forms = {
  "step-up": z.looseObject({ acr_value: z.string().min(1), amr_values: z.array(z.string()).optional() }),
  notification: z.looseObject({ to: z.string().min(1), body: z.string(), topic: z.string().optional() }),
  session_termination: z.looseObject({ subject: z.string().min(1) }),
  custom: z.looseObject({}),
} as const;

type ObligationType = keyof typeof forms;

export const obligationTypes: readonly string[] = Object.keys(forms);

/** What a caller must carry out with the decision. */
export interface Obligation {
  readonly id: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** As a policy says it, before anybody is asked about. */
const Written = z.strictObject({ type: z.enum(["step-up", "notification", "session_termination", "custom"]), properties: z.record(z.string(), z.json()).default({}) });
export type Written = z.output<typeof Written>;

/** The obligations of a bundle's policies that have any; undefined where the annotation cannot be read. */
export type ObligationsByPolicy = ReadonlyMap<string, readonly Written[] | undefined>;

export function obligationsByPolicy(policies: readonly { readonly id: string; readonly annotations: Readonly<Record<string, string>> }[]): ObligationsByPolicy {
  return new Map(policies.flatMap(({ id, annotations: { obligation } }) => (obligation === undefined ? [] : [[id, readObligations(obligation)] as const])));
}

interface Deciding {
  /** The policies that determined the decision. */
  readonly determining: readonly string[];
  readonly obligations: ObligationsByPolicy;
  readonly evaluation: Evaluation;
}

/** An obligation that nobody can read, or that the caller says it will not carry out, is a condition that is not met. */
export function obligationRefusal({ determining, obligations, evaluation }: Deciding): Refusal | undefined {
  const bound = determining.filter((policy) => obligations.has(policy));
  const unreadable = bound.find((policy) => obligations.get(policy) === undefined);
  if (unreadable !== undefined) return refuse("policy_errored", { policy: unreadable, message: "the policy's @obligation is in no known form" });
  const said = evaluation.context?.["supported_obligations"];
  if (!Array.isArray(said)) return undefined;
  const supported: readonly unknown[] = said.filter((type: unknown) => typeof type === "string" && obligationTypes.includes(type));
  const lacking = bound.find((policy) => obligations.get(policy)?.some(({ type }) => !supported.includes(type)));
  return lacking === undefined ? undefined : refuse("obligation_unsupported", { policy: lacking });
}

/** What the caller has to carry out with the decision. */
export function obligationsOf({ determining, obligations, evaluation }: Deciding): readonly Obligation[] {
  const written = determining.flatMap((policy) => {
    const found = obligations.get(policy);
    return found === undefined ? [] : [{ policy, obligations: found }];
  });
  const { subject, resource, action } = evaluation;
  return written.length === 0 ? [] : obligationsFor(written, { subject: subject.id, resource: resource.id, action: action.name });
}

const obligationCharactersMax = 4000;
const obligationsPerPolicyMax = 10;

/**
 * The obligations of a policy's annotation `@obligation("{type: step-up, properties: {acr_value: 'urn:x'}}")`: one, or a
 * list, in JSON or in YAML's flow form. Undefined where it is in no known form: such a policy then denies.
 */
export function readObligations(annotation: string): readonly Written[] | undefined {
  if (annotation.length > obligationCharactersMax) return undefined;
  const parsed = z.array(Written).max(obligationsPerPolicyMax).safeParse([yamlValue(annotation)].flat());
  if (!parsed.success) return undefined;
  return parsed.data.every(fits) ? parsed.data : undefined;
}

function fits({ type, properties }: Written): boolean {
  const form: (typeof forms)[ObligationType] = forms[type];
  return form.safeParse(properties).success;
}

function yamlValue(text: string): unknown {
  try {
    const value: unknown = parse(text, { maxAliasCount: 0 });
    return value;
  } catch {
    return undefined;
  }
}

interface Whom {
  readonly subject: string;
  readonly resource: string;
  readonly action: string;
}

/** The policies' obligations as they travel; `$subject.id`, `$resource.id` and `$action.name` are filled in. */
function obligationsFor(written: readonly { readonly policy: string; readonly obligations: readonly Written[] }[], whom: Whom): readonly Obligation[] {
  return written.flatMap(({ policy, obligations }) =>
    obligations.map(({ type, properties }, at) => ({
      id: obligations.length === 1 ? policy : `${policy}#${at + 1}`,
      type,
      properties: Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, typeof value === "string" ? filled(value, whom) : value])),
    })),
  );
}

function filled(text: string, { subject, resource, action }: Whom): string {
  return text.replaceAll("$subject.id", () => subject).replaceAll("$resource.id", () => resource).replaceAll("$action.name", () => action);
}
