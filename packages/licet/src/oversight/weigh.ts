import { findPerson, heldRoles } from "../identity/store.ts";
import { counts, type Approver, type Authors } from "./counts.ts";
import { approvalsOf, type ApprovalRow, type Reader } from "./store.ts";

/** An approval with the verdict on whether it counts now. */
export interface Weighed {
  readonly row: ApprovalRow;
  readonly email: string;
  readonly counts: boolean;
  /** Why it does not count, or empty. */
  readonly why: string;
  readonly early: boolean;
}

export interface Scale {
  readonly request: string;
  readonly now: number;
  readonly factsDigest: string;
  readonly policyDigest: string;
  readonly authors: Authors;
}

/** Every answer to a request in the order given; of one person's answers that could count, the first does. */
export async function weighApprovals(db: Reader, space: string, scale: Scale): Promise<readonly Weighed[]> {
  const counted = new Set<string>();
  const weighed: Weighed[] = [];
  for (const row of await approvalsOf(db, space, scale.request)) {
    const approver = await approverOf(db, space, row.person);
    const given = {
      person: row.person,
      role: row.role,
      factsDigest: row.facts_digest,
      policyDigest: row.policy_digest,
      authenticatedAt: row.authenticated_at,
      givenAt: row.given_at,
      notAfter: row.not_after,
      spentBy: row.spent_by,
    };
    const said = counts(given, { ...scale, approver, counted });
    const approves = said.counts && row.answer === "approve";
    if (approves) counted.add(row.person);
    weighed.push({ row, email: approver?.email ?? row.person, counts: approves, why: said.counts ? "" : said.why, early: said.counts && said.early });
  }
  return weighed;
}

export async function approverOf(db: Reader, space: string, person: string): Promise<Approver | undefined> {
  const found = await findPerson(db, space, person);
  if (found === undefined) return undefined;
  const roles = await heldRoles(db, space, person);
  return { email: found.email, createdBy: found.created_by, disabled: found.disabled_at !== null, roles };
}
