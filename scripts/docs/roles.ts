import { approvingRoles, permissions, rolePermissions, roles } from "@licet/contract";
import { table } from "./block.ts";

/** Who may do what: one row a permission, one column a role. */
export function roleTable(): string {
  const named = permissions.filter((permission) => permission !== "public");
  const approving: readonly string[] = approvingRoles;
  const head = ["permission", ...roles.map((role) => (approving.includes(role) ? `${role} \\*` : role))];
  const rows = named.map((permission) => [`\`${permission}\``, ...roles.map((role) => (rolePermissions[role].includes(permission) ? "yes" : ""))]);
  // The cells are plain text; the asterisk must stay escaped.
  return `${table(head, rows)}\n\n\\* an approving role: its holders answer requests, and their approvals count for it.`;
}
