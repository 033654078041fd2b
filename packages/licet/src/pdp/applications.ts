import { isErrorCode } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { adviceOf, type Advice } from "../gateway/decide.ts";
import { refuse, shown, type Refusal } from "../gateway/refusal.ts";
import { constant } from "../ledger/canonical-text.ts";
import type { JsonObject } from "../ledger/recorder.ts";
import { isDistrusted, type Decider, type EntityBase, type PolicyDecision, type PolicyReason } from "../policy/decide.ts";
import { mapped, type ApplicationPolicies, type Circumstances, type MappedRequest, type Unknown } from "./application.ts";
import type { ApplicationData } from "./data.ts";
import { obligationRefusal, obligationsOf, type Obligation } from "./obligations.ts";
import type { Evaluation } from "./protocol.ts";

export interface ApplicationParts {
  readonly space: string;
  /** Digest of the bundle that decides. */
  readonly digest: string;
  readonly decider: Pick<Decider, "decide" | "entities">;
  readonly policies: ApplicationPolicies;
  readonly data: ApplicationData;
}

/** How one question about an application came out; a function of the question, the data and the bundle. */
export interface Conclusion {
  readonly refusal?: Refusal;
  /** The canonical Cedar request; null where none could be made. */
  readonly cedar: JsonObject | null;
  readonly reasons: readonly JsonObject[];
  readonly policyErrors: readonly string[];
  readonly advice?: Advice;
  readonly obligations: readonly Obligation[];
  /** Set where an approval is all that is missing: the template that an access request names. */
  readonly approval?: string;
}

export type Judged = Omit<Conclusion, "cedar"> & { readonly asking: MappedRequest | undefined };

const conclusionsKept = 4096;

/** The applications of one space: what it knows and who decides. Never changed in place. */
export class Applications {
  readonly parts: ApplicationParts;
  /** Owned by `conclude`: the same question has the same answer. */
  readonly #known = new Map<string, Conclusion>();

  /** Undefined where an entity does not fit the schema of today: then only questions that come to it are denied. */
  readonly #base: EntityBase | undefined;

  constructor(parts: ApplicationParts) {
    this.parts = parts;
    this.#base = prepared(parts);
  }

  conclude(asked: Evaluation, at: Circumstances): Conclusion {
    const { subject, action, resource, context } = asked;
    const key = JSON.stringify([isDistrusted(this.parts.digest), at.approved, at.now - (at.now % 1000), subject, action, resource, context ?? null]);
    const before = this.#known.get(key);
    if (before !== undefined) return before;
    const { asking, ...judged } = this.judge(asked, at);
    const entities = asking?.entities();
    const concluded = asking === undefined ? { ...judged, cedar: null } : entities === undefined ? { ...tooMuch(), cedar: null } : { ...judged, cedar: cedarJson({ ...asking.request, entities }) };
    if (this.#known.size >= conclusionsKept) this.#known.clear();
    this.#known.set(key, concluded);
    return concluded;
  }

  /** The same without a record of it: for searches, which decide many questions and answer few. */
  judge(asked: Evaluation, at: Circumstances): Judged {
    const { policies, data, decider } = this.parts;
    const found = mapped(policies, data, { asked, at });
    if (!("request" in found)) return unmapped(found);
    // The data is prepared once; a request then brings only what is not in it.
    const base = found.beside === undefined ? undefined : this.#base;
    const entities = base === undefined ? found.entities() : found.beside;
    if (entities === undefined) return tooMuch();
    const decision = decider.decide({ ...found.request, entities }, base);
    const deciding = { determining: decision.reasons.map(({ policy }) => policy), obligations: policies.obligations, evaluation: asked };
    const refusal = decisionRefusal(decision, policies) ?? obligationRefusal(deciding);
    const approval = approvalOf(decision, policies);
    return {
      asking: found,
      reasons: decision.reasons.map(reasonJson),
      policyErrors: decision.errors.map(({ policy }) => policy),
      advice: adviceOf(decision),
      obligations: refusal?.code === "obligation_unsupported" ? [] : obligationsOf(deciding),
      ...(refusal !== undefined && { refusal }),
      ...(refusal !== undefined && approval !== undefined && { approval }),
    };
  }
}

function prepared({ decider, data }: ApplicationParts): EntityBase | undefined {
  try {
    return decider.entities(data.all());
  } catch {
    return undefined;
  }
}

function cedarJson(request: object): JsonObject {
  const copy: JsonObject = parseJson(JSON.stringify(request));
  return constant(copy);
}

function unmapped(found: { readonly unknown: Unknown } | { readonly invalid: string }): Judged {
  const refusal = "unknown" in found ? refuse(`${found.unknown}_unknown`) : refuse("query_invalid", { message: `a value is not one that the policies can look at: ${shown(found.invalid)}`, status: 403 });
  const { policy, code, remedy } = refusal;
  return { refusal, asking: undefined, reasons: [{ policy, code, remedy }], policyErrors: [], obligations: [] };
}

function tooMuch(): Judged {
  return unmapped({ invalid: "the entities around it are too many" });
}

function reasonJson({ policy, requirement, remedy }: PolicyReason): JsonObject {
  return { policy, ...(requirement !== undefined && { requirement }), ...(remedy !== undefined && { remedy }) };
}

function decisionRefusal({ decision, reasons, errors }: PolicyDecision, { approvals }: ApplicationPolicies): Refusal | undefined {
  const [error] = errors;
  if (error !== undefined) return refuse("policy_errored", { policy: error.policy });
  if (decision === "allow") return undefined;
  const [reason] = reasons;
  if (reason === undefined) return refuse("application_denied", { policy: "none", message: "no policy permits this" });
  const { policy, requirement, title, remedy } = reason;
  const code = requirement !== undefined && isErrorCode(requirement) ? requirement : approvals.has(policy) ? "approval_required" : "application_denied";
  return refuse(code, { policy, ...(title !== undefined && { message: title }), ...(remedy !== undefined && { remedy }) });
}

/** Only where every policy that forbids would be satisfied by an approval: any other stays in the way after it. */
function approvalOf({ decision, reasons, errors }: PolicyDecision, { approvals }: ApplicationPolicies): string | undefined {
  if (decision === "allow" || errors.length > 0 || reasons.length === 0) return undefined;
  const templates = reasons.map(({ policy }) => approvals.get(policy));
  return templates.includes(undefined) ? undefined : templates[0];
}
