import { allows, LicetError, ReleaseBundle, type PackSource, type Role } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { ownPacks, type GivenPacks } from "./publication.ts";
import { latestReleaseBundle, type Reader } from "./store.ts";

export interface Publisher {
  readonly email: string;
  readonly roles: readonly Role[];
}

/**
 * Whether somebody may ask for this publication. Without `policy.publish` only for team packs, new and old, all of whose
 * systems name them as technical owner. Throws `policy_not_yours`.
 */
export async function refuseForeign(db: Reader, space: string, { given, publisher }: { readonly given: GivenPacks; readonly publisher: Publisher }): Promise<void> {
  if (allows(publisher.roles, "policy.publish")) return;
  const names = new Set([...given.remove, ...given.packs.map(({ name }) => name)]);
  const touched = [...given.packs, ...(await ownPacks(db, space)).filter(({ name }) => names.has(name))];
  for (const pack of touched) await refuseUnowned(db, space, { pack, email: publisher.email });
}

async function refuseUnowned(db: Reader, space: string, { pack, email }: { readonly pack: PackSource; readonly email: string }): Promise<void> {
  const { name, manifest } = pack;
  if (manifest.kind !== "team") throw new LicetError("policy_not_yours", { message: `the pack \`${name}\` is no team pack` });
  for (const system of manifest.systems ?? []) {
    if (!(await ownsTechnically(db, space, { system, email }))) throw new LicetError("policy_not_yours", { message: `you are not the technical owner of \`${system}\`, which the pack \`${name}\` tightens` });
  }
}

async function ownsTechnically(db: Reader, space: string, { system, email }: { readonly system: string; readonly email: string }): Promise<boolean> {
  const json = await latestReleaseBundle(db, space, system);
  const owner = json === undefined ? undefined : ReleaseBundle.parse(parseJson(json)).manifest.owners.technical;
  return owner !== undefined && owner.trim().toLowerCase() === email.trim().toLowerCase();
}
