import { refuse, type Refusal } from "../gateway/refusal.ts";
import { obligationTypes, readObligations, type WrittenObligation } from "../policy/obligation-form.ts";
import type { Evaluation } from "./protocol.ts";

/** What a caller must carry out with the decision. */
export interface Obligation {
  readonly id: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** The obligations of a bundle's policies that have any; undefined where the annotation cannot be read. */
export type ObligationsByPolicy = ReadonlyMap<string, readonly WrittenObligation[] | undefined>;

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

interface Whom {
  readonly subject: string;
  readonly resource: string;
  readonly action: string;
}

/** The policies' obligations as they travel; `$subject.id`, `$resource.id` and `$action.name` are filled in. */
function obligationsFor(written: readonly { readonly policy: string; readonly obligations: readonly WrittenObligation[] }[], whom: Whom): readonly Obligation[] {
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
