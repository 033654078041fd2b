/** What a caller may do. Every route names one; `public` and `signed-in` need no role. */
export const permissions = [
  "public",
  "signed-in",
  "system.read",
  "release.push",
  "answer.give",
  "check.run",
  "check.server",
  "ci.register",
  "ci.remove",
  "promotion.request",
  "approval.give",
  "deployment.record",
  "credential.revoke",
  "hold.place",
  "hold.lift",
  "waiver.request",
  "waiver.end",
  "provider.read",
  "provider.register",
  "person.read",
  "person.manage",
  "decision.read",
  "log.read",
  "content.read",
  "audit.export",
  "privacy.read",
  "privacy.manage",
  "policy.read",
  "policy.propose",
  "policy.publish",
  "policy.data",
  "space.manage",
  "budget.set",
  "gateway.manage",
] as const;
export type Permission = (typeof permissions)[number];

/** The roles of a space. Owners of a system are named in its manifest; a role says what a person may do. */
export const roles = [
  "administrator",
  "developer",
  "platform-engineer",
  "security-engineer",
  "risk-owner",
  "authorizing-official",
  "assessor",
  "auditor",
  "executive",
] as const;
export type Role = (typeof roles)[number];

const reader = ["signed-in", "system.read", "provider.read", "policy.read"] as const;
const proof = ["decision.read", "log.read", "audit.export", "privacy.read"] as const;
/** Who proposes only may ask for team packs of systems that they own; another person approves either way. */
const publisher = ["policy.propose", "policy.publish"] as const;

/** Administrators hold no approving role: who hands out roles does not use them (separation of duties). */
export const rolePermissions: Readonly<Record<Role, readonly Permission[]>> = {
  administrator: [...reader, "person.read", "person.manage", "provider.register", "log.read", "privacy.read", "privacy.manage", "policy.data", "space.manage", "gateway.manage"],
  developer: [...reader, "policy.propose", "release.push", "check.run", "check.server", "ci.register", "ci.remove", "promotion.request", "decision.read", "hold.place", "waiver.request", "waiver.end"],
  "platform-engineer": [...reader, ...proof, ...publisher, "ci.register", "ci.remove", "budget.set", "gateway.manage", "policy.data", "deployment.record", "credential.revoke", "provider.register", "hold.place", "hold.lift", "promotion.request", "waiver.request", "waiver.end"],
  "security-engineer": [...reader, ...proof, ...publisher, "ci.register", "ci.remove", "budget.set", "policy.data", "content.read", "hold.place", "hold.lift", "waiver.end", "approval.give", "credential.revoke"],
  "risk-owner": [...reader, ...proof, ...publisher, "ci.remove", "budget.set", "privacy.manage", "answer.give", "approval.give", "hold.place", "hold.lift", "waiver.request", "waiver.end"],
  "authorizing-official": [...reader, ...proof, "approval.give", "hold.place", "waiver.end"],
  assessor: [...reader, "decision.read", "check.run", "check.server", "approval.give"],
  auditor: [...reader, ...proof, "content.read", "person.read"],
  executive: [...reader],
};

/** The roles that may answer a request; an approval counts for the role in which it was given. */
export const approvingRoles = ["risk-owner", "authorizing-official", "assessor", "security-engineer"] as const satisfies readonly Role[];
export type ApprovingRole = (typeof approvingRoles)[number];

export function allows(held: readonly Role[], permission: Permission): boolean {
  return held.some((role) => rolePermissions[role].includes(permission));
}
