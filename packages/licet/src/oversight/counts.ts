import { approvingRoles } from "@licet/contract";

export const freshMinutesMax = 15;
export const roleHoursMin = 24;

/** What the record says of an approval. */
export interface GivenApproval {
  readonly person: string;
  readonly role: string;
  readonly factsDigest: string;
  readonly policyDigest: string;
  readonly authenticatedAt: number;
  readonly givenAt: number;
  readonly notAfter: number;
  readonly spentBy: string | null;
}

/** A role in force now. `early`: given in the first hour of the installation, or in the demo. */
export interface RoleInForce {
  readonly role: string;
  readonly grantedBy: string;
  readonly grantedAt: number;
  readonly early: boolean;
}

export interface Approver {
  readonly email: string;
  readonly createdBy: string;
  readonly disabled: boolean;
  readonly roles: readonly RoleInForce[];
}

/** Whoever may not approve: by person id, and by e-mail where the manifest names somebody without an account. */
export interface Authors {
  readonly ids: ReadonlySet<string>;
  readonly emails: ReadonlySet<string>;
  /**
   * Whether a role or account that an author gave is worth nothing. Not so for moves of the installation itself: there the
   * administrator who asks has also given every role, and nobody could ever agree with them; the outcome is marked instead.
   */
  readonly grantsCount: boolean;
}

export interface Circumstances {
  readonly now: number;
  /** What the approval would have to be about to count now. */
  readonly factsDigest: string;
  readonly policyDigest: string;
  readonly authors: Authors;
  /** Absent when the record knows no such person. */
  readonly approver: Approver | undefined;
  /** People whose approvals of this request count already. */
  readonly counted: ReadonlySet<string>;
}

/** `early` marks an approval that counts only because of the first hour or the demo, or although an author gave the role. */
export type Counting = { readonly counts: true; readonly early: boolean } | { readonly counts: false; readonly why: string };

/** Whether an approval counts now. Pure, and in doubt no; the first reason found is the one that is told. */
export function counts(approval: GivenApproval, circumstances: Circumstances): Counting {
  const { approver } = circumstances;
  if (approver === undefined || approver.disabled) return no("the account does not exist or is closed");
  const grant = approver.roles.find((each) => each.role === approval.role);
  const why =
    standingReason(approval, approver, circumstances.authors) ??
    (grant === undefined ? "the role was taken away" : grantReason(approval, { approver, grant, authors: circumstances.authors })) ??
    timeReason(approval, circumstances);
  if (why !== undefined) return no(why);
  return { counts: true, early: grant !== undefined && isMarked(approval, grant, circumstances.authors) };
}

function no(why: string): Counting {
  return { counts: false, why };
}

export function isAuthor(authors: Authors, person: { readonly id: string; readonly email: string }): boolean {
  return authors.ids.has(person.id) || authors.emails.has(person.email.toLowerCase());
}

function standingReason(approval: GivenApproval, approver: Approver, authors: Authors): string | undefined {
  const approving: readonly string[] = approvingRoles;
  if (!approving.includes(approval.role)) return `\`${approval.role}\` is no approving role`;
  if (approver.roles.some((each) => each.role === "administrator")) return "administrators hold no approving role";
  if (isAuthor(authors, { id: approval.person, email: approver.email })) return "an author of the change cannot approve it";
  return undefined;
}

interface Granted {
  readonly approver: Approver;
  readonly grant: RoleInForce;
  readonly authors: Authors;
}

/** The first hour and the demo excuse both how young the role is and who gave it; the approval is then marked. */
function grantReason(approval: GivenApproval, { approver, grant, authors }: Granted): string | undefined {
  if (approval.givenAt < grant.grantedAt) return "the role was given after the approval";
  if (grant.early) return undefined;
  if (isYoung(approval, grant)) return `the role was given less than ${roleHoursMin} hours before`;
  if (authors.grantsCount) return undefined;
  if (authors.ids.has(grant.grantedBy)) return "the role was given by an author of the change";
  if (authors.ids.has(approver.createdBy)) return "the account was made by an author of the change";
  return undefined;
}

function isYoung(approval: GivenApproval, grant: RoleInForce): boolean {
  return approval.givenAt - grant.grantedAt < roleHoursMin * 3_600_000;
}

function isMarked(approval: GivenApproval, grant: RoleInForce, authors: Authors): boolean {
  return authors.ids.has(grant.grantedBy) || (grant.early && isYoung(approval, grant));
}

function timeReason(approval: GivenApproval, circumstances: Circumstances): string | undefined {
  const waited = approval.givenAt - approval.authenticatedAt;
  if (waited < 0 || waited > freshMinutesMax * 60_000) return `authenticated more than ${freshMinutesMax} minutes before`;
  if (approval.spentBy !== null) return "spent already";
  if (approval.factsDigest !== circumstances.factsDigest) return "stale: the facts have changed since";
  if (approval.policyDigest !== circumstances.policyDigest) return "stale: the policies have changed since";
  if (circumstances.now >= approval.notAfter) return "its time is over";
  if (circumstances.counted.has(approval.person)) return "the same person counts once";
  return undefined;
}
