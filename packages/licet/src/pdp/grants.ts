import { digestOf, parseJson } from "@licet/evidence";
import { z } from "zod";
import type { Refusal } from "../gateway/refusal.ts";
import { Applications } from "./applications.ts";
import type { Covering } from "./approvals.ts";
import type { ObligationsByPolicy } from "./obligations.ts";
import type { Evaluation } from "./protocol.ts";
import type { AccessRequestRow } from "./store.ts";
import { plainJson } from "./verdict.ts";

/** How long an approval holds that the request bounded no closer. */
export const approvalHoursMax = 8;
export const approvalMs = approvalHoursMax * 3_600_000;

/** An access request that was approved. */
export interface Grant {
  /** The request's id: it opens nothing by itself, because it covers one question alone. */
  readonly id: string;
  /** Digest of exactly the subject, action and resource that were asked for, with their properties. */
  readonly asked: string;
  readonly approvedAt: number;
  readonly approvedUntil: number;
}

/** What the decision API decides on in one space. */
export class ApplicationSpace {
  readonly applications: Applications | undefined;
  readonly grants: ReadonlyMap<string, Grant>;
  /** Of the whole bundle, Licet's own policies included. */
  readonly obligations: ObligationsByPolicy;

  constructor(applications: Applications | undefined, { grants, obligations }: { readonly grants: ReadonlyMap<string, Grant>; readonly obligations: ObligationsByPolicy }) {
    this.applications = applications;
    this.grants = grants;
    this.obligations = obligations;
  }
}

const none: ObligationsByPolicy = new Map();

export function obligationsIn(found: unknown): ObligationsByPolicy {
  return found instanceof ApplicationSpace ? found.obligations : none;
}

/** Undefined where nothing in the space answers: then everything is denied. */
export function applicationsIn(found: unknown): Applications | undefined {
  if (found instanceof Applications) return found;
  return found instanceof ApplicationSpace ? found.applications : undefined;
}

export function grantOf(found: unknown, id: string | undefined): Grant | undefined {
  return found instanceof ApplicationSpace && id !== undefined ? found.grants.get(id) : undefined;
}

/** What an approval is for: the exact-match baseline of the profile. Context binds nothing: the policies look at it each time. */
export function asked({ subject, action, resource }: Evaluation): unknown {
  return { subject, action, resource };
}

export function askedDigest(evaluation: Evaluation): string {
  return digestOf(plainJson(asked(evaluation)));
}

const Detail = z.looseObject({ asked: z.json(), until: z.string().nullable() });

/** Undefined for a request that was not approved, or is none of this kind. */
export function grantFrom({ id, status, detail, closed_at }: AccessRequestRow): Grant | undefined {
  const parsed = Detail.safeParse(parseJson(detail));
  if (status !== "granted" || closed_at === null || !parsed.success) return undefined;
  const bounded = parsed.data.until === null ? Number.POSITIVE_INFINITY : Date.parse(parsed.data.until);
  return { id, asked: digestOf(parsed.data.asked), approvedAt: closed_at, approvedUntil: Math.min(closed_at + approvalMs, Number.isNaN(bounded) ? closed_at : bounded) };
}

/** A presented approval against the question that it came with. One that does not cover it counts as none. */
export function coversGrant(grant: Grant | undefined, evaluation: Evaluation, now: number): Covering {
  const why = grant === undefined ? "approval_unverifiable" : now >= grant.approvedUntil ? "approval_expired" : grant.asked === askedDigest(evaluation) ? undefined : "out_of_scope";
  return {
    covers: why === undefined,
    told: (refusal: Refusal | undefined, requestable: boolean) => {
      if (refusal === undefined) return grant === undefined || why !== undefined ? {} : { approval: { id: grant.id, approved_until: new Date(grant.approvedUntil).toISOString() } };
      return { reason: why ?? "policy_denied", next_action: requestable && why !== undefined && why !== "approval_unverifiable" ? "request" : "none" };
    },
  };
}
