import { LicetError, type RouteAnswer } from "@licet/contract";
import { findPerson, type IdentityDatabase } from "../identity/store.ts";
import type { Recorder } from "../ledger/recorder.ts";
import { findSpace, spaceUsed } from "./store.ts";

export const firstSpace = "main";

export interface SpaceDeps {
  readonly recorder: Recorder;
  readonly read: IdentityDatabase["read"];
  /** Publishes the policies that every space begins with. */
  readonly beginPolicies: (space: string) => Promise<void>;
}

export interface SpaceAsked {
  readonly from: string;
  readonly name: string;
  readonly title: string;
  readonly by: string;
}

/** Opens a space; who asks becomes its administrator. Throws `space_not_here` and `space_exists`. */
export async function openSpace({ recorder, read, beginPolicies }: SpaceDeps, { from, name, title, by }: SpaceAsked): Promise<RouteAnswer<"openSpace">> {
  if (from !== firstSpace) throw new LicetError("space_not_here");
  await recorder.commit(async (tx) => {
    const person = await findPerson(tx, firstSpace, by);
    if (person === undefined) throw new LicetError("not_found");
    if (name === firstSpace || (await findSpace(tx, name)) !== undefined || (await spaceUsed(tx, name))) {
      throw new LicetError("space_exists", { message: `there is a space \`${name}\` already` });
    }
    const body = { name, title, administrator: { person: by, email: person.email, name: person.name } };
    return { entry: { kind: "space.opened", space: name, actor: by, subject: `person:${by}`, class: "governance", body }, value: undefined };
  });
  // A stop before this is made good at the next start, which begins the policies of every space that has none.
  await beginPolicies(name);
  const row = await findSpace(read, name);
  if (row === undefined) throw new LicetError("internal");
  return { name, title, createdAt: row.created_at, entry: row.entry };
}
