import { LicetError, type PackSource, type PublicationOccasion } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { licetVersion } from "../base/version.ts";
import type { Draft, JsonObject, Recorder } from "../ledger/recorder.ts";
import { readBundle } from "./bundle.ts";
import type { Bundle } from "./bundle-form.ts";
import { activeBundle, activeDigest, findBundle, type Reader } from "./store.ts";

export interface Publishing {
  readonly space: string;
  readonly bundle: Bundle;
  /** The space's own packs, without those of the installation and of the organisation. */
  readonly packs: readonly PackSource[];
  readonly occasion: PublicationOccasion;
  readonly comment: string;
  /** A person's id, or "server". */
  readonly by: string;
  /** The gate move that led to it, and what it ended on. */
  readonly move?: { readonly request: string; readonly outcome: string; readonly approvals: readonly string[] };
}

export function publicationDraft({ space, bundle, packs, occasion, comment, by, move }: Publishing): Draft {
  const { digest, ...content } = bundle;
  const body: JsonObject = parseJson(JSON.stringify({ digest, bundle: content, packs, occasion, comment, request: move?.request ?? null, outcome: move?.outcome ?? "", approvals: move?.approvals ?? [], publishedBy: by, compiledBy: licetVersion }));
  return { kind: "policy.published", space, actor: by, subject: "space", class: "governance", body };
}

/** Publishes unless the space's active bundle is this one already. Answers whether it did. */
export async function publishUnlessActive(recorder: Recorder, publishing: Publishing): Promise<boolean> {
  const { value } = await recorder.commit(async (tx) => {
    if ((await activeDigest(tx, publishing.space)) === publishing.bundle.digest) return { nothing: false };
    return { entry: publicationDraft(publishing), value: true };
  });
  return value;
}

/**
 * Publishes the bundle that belongs to this version of Licet, where the space has another one or none, and no packs of its own.
 * The built-in policies change only with the installation, so this is the server's act and not a person's.
 */
export async function publishBuiltin(recorder: Recorder, space: string, bundle: Bundle): Promise<boolean> {
  return publishUnlessActive(recorder, { space, bundle, packs: [], occasion: "installation", comment: "", by: "server" });
}

/** The space's active bundle, its digest checked; throws `policy_not_published` and `policy_bundle_changed`. */
export async function bundleOf(db: Reader, space: string): Promise<Bundle> {
  const digest = await activeDigest(db, space);
  const ready = digest === undefined ? undefined : known.get(`${space}\n${digest}`);
  if (ready !== undefined) return ready;
  const row = await activeBundle(db, space);
  if (row === undefined) throw new LicetError("policy_not_published");
  return remembered(space, row);
}

/** The digest alone; throws `policy_not_published`. */
export async function activeBundleDigest(db: Reader, space: string): Promise<string> {
  const digest = await activeDigest(db, space);
  if (digest === undefined) throw new LicetError("policy_not_published");
  return digest;
}

/** A bundle that was active once, to decide an old request again. */
export async function bundleByDigest(db: Reader, space: string, digest: string): Promise<Bundle | undefined> {
  const ready = known.get(`${space}\n${digest}`);
  if (ready !== undefined) return ready;
  const row = await findBundle(db, space, digest);
  return row === undefined ? undefined : remembered(space, row);
}

const knownMax = 32;
/** Owned by `remembered`: bundles that were read and proven in this process; the row of a digest never changes. */
const known = new Map<string, Bundle>();

function remembered(space: string, row: { readonly bundle: string; readonly digest: string }): Bundle {
  const bundle = readBundle(row.bundle, row.digest);
  const oldest = known.keys().next();
  if (known.size >= knownMax && oldest.done !== true) known.delete(oldest.value);
  known.set(`${space}\n${row.digest}`, bundle);
  return bundle;
}
