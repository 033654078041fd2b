import { allows, type Permission, type Role, type SessionView } from "@licet/contract";
import { space, useRoute } from "./api.ts";

export interface Who {
  readonly session: SessionView | undefined;
  readonly email: string;
  readonly roles: readonly Role[];
  /** Whether the server would let this person: the page asks nothing that it knows would be refused. */
  readonly may: (permission: Permission) => boolean;
}

export function useWho(): Who {
  const session = useRoute("showSession", {}).data;
  const roles = session?.spaces.find((member) => member.space === space)?.roles ?? [];
  return { session, email: session?.person?.email ?? "", roles, may: (permission) => allows(roles, permission) };
}
