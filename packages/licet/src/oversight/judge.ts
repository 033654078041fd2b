import type { ApprovingRole, GateAnswer } from "@licet/contract";
import { approverOf, type Weighed } from "./weigh.ts";
import { counts, type Authors } from "./counts.ts";
import type { Reader, StoredRequest } from "./store.ts";

/** What an open request stands on now. */
export interface Judged {
  /** The gate's answer for a promotion; null for the other moves, which need one approval. */
  readonly gate: GateAnswer | null;
  readonly factsDigest: string;
  readonly policyDigest: string;
  readonly authors: Authors;
  readonly weighed: readonly Weighed[];
  /** Roles that the request waits for. */
  readonly roles: readonly ApprovingRole[];
  /** The requirement that approvals answer. */
  readonly requirement: string;
}

export type Judge = (db: Reader, request: StoredRequest, now: number) => Promise<Judged>;

export interface Person {
  readonly personId: string;
  readonly email: string;
  readonly roles: readonly string[];
}

/** Why an approval by this person, given now, would not count; empty when it would. */
export async function whyNot(db: Reader, space: string, asked: { readonly person: Person; readonly role: string; readonly judged: Judged; readonly now: number }): Promise<string> {
  const { person, role, judged, now } = asked;
  const approver = await approverOf(db, space, person.personId);
  const given = {
    person: person.personId,
    role,
    factsDigest: judged.factsDigest,
    policyDigest: judged.policyDigest,
    authenticatedAt: now,
    givenAt: now,
    notAfter: now + 1,
    spentBy: null,
  };
  const counted = new Set(judged.weighed.filter((each) => each.counts).map((each) => each.row.person));
  const said = counts(given, { now, factsDigest: judged.factsDigest, policyDigest: judged.policyDigest, authors: judged.authors, approver, counted });
  return said.counts ? "" : said.why;
}

export interface Mine {
  readonly roles: readonly ApprovingRole[];
  readonly mayAnswer: boolean;
  readonly why: string;
}

/** What a person could do about a request: the roles in which it waits for them, and why they may not answer. */
export async function mine(db: Reader, space: string, asked: { readonly person: Person; readonly judged: Judged; readonly now: number }): Promise<Mine> {
  const { person, judged } = asked;
  const roles = judged.roles.filter((role) => person.roles.includes(role));
  const reasons = await Promise.all(roles.map(async (role) => ({ role, why: await whyNot(db, space, { ...asked, role }) })));
  const open = reasons.filter((each) => each.why === "").map((each) => each.role);
  if (open.length > 0) return { roles: open, mayAnswer: true, why: "" };
  return { roles, mayAnswer: false, why: reasons[0]?.why ?? "" };
}

