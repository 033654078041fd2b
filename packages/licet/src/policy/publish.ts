import { LicetError } from "@licet/contract";
import type { Recorder } from "../ledger/recorder.ts";
import { readBundle, type Bundle } from "./bundle.ts";
import { activeBundle, findBundle, type Reader } from "./store.ts";

/**
 * Publishes the bundle that belongs to this version of Licet, where the space has another one or none; run at start.
 * The built-in policies change only with the installation, so this is the server's act and not a person's.
 */
export async function publishBuiltin(recorder: Recorder, space: string, bundle: Bundle): Promise<boolean> {
  const { digest, ...content } = bundle;
  const { value } = await recorder.commit(async (tx) => {
    if ((await activeBundle(tx, space))?.digest === digest) return { nothing: false };
    const policies = content.policies.map((policy) => ({ ...policy, annotations: { ...policy.annotations } }));
    const body = { digest, bundle: { v: content.v, schema: content.schema, policies }, publishedBy: "server" };
    return { entry: { kind: "policy.published", space, actor: "server", subject: "space", class: "governance", body }, value: true };
  });
  return value;
}

/** The space's active bundle, its digest checked; throws `policy_not_published` and `policy_bundle_changed`. */
export async function bundleOf(db: Reader, space: string): Promise<Bundle> {
  const row = await activeBundle(db, space);
  if (row === undefined) throw new LicetError("policy_not_published");
  return cached(row.bundle, row.digest);
}

/** A bundle that was active once, to decide an old request again. */
export async function bundleByDigest(db: Reader, space: string, digest: string): Promise<Bundle | undefined> {
  const row = await findBundle(db, space, digest);
  return row === undefined ? undefined : cached(row.bundle, row.digest);
}

/** Owned by `cached`: the text of a row is compared only when its digest is new to this process. */
const known = new Map<string, { readonly json: string; readonly bundle: Bundle }>();

function cached(json: string, digest: string): Bundle {
  const before = known.get(digest);
  if (before?.json === json) return before.bundle;
  const bundle = readBundle(json, digest);
  known.set(digest, { json, bundle });
  return bundle;
}
