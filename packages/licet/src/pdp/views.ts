import type { DecisionClient } from "../gateway/snapshot.ts";
import { withSampling, type Sampler } from "../policy/sampling.ts";
import { createDecider } from "../policy/decide.ts";
import { bundleOf } from "../policy/publish.ts";
import type { CedarEntity } from "../policy/request.ts";
import { applicationPolicies, type ApplicationPolicies } from "./application.ts";
import { Applications } from "./applications.ts";
import { ApplicationData } from "./data.ts";
import { readEntity } from "./entity.ts";
import { ApplicationSpace, approvalMs, grantFrom } from "./grants.ts";
import { activeDigests, clientsInForce, dataStamps, entitiesOf, grantedAccess, type Reader } from "./store.ts";

type Decider = ReturnType<typeof createDecider>;

interface Compiled {
  readonly policies: ApplicationPolicies;
  readonly decider: Decider;
}

interface Viewing {
  readonly space: string;
  readonly digest: string;
  readonly stamp: string;
  readonly compiled: Compiled;
}

/** What the decision API adds to a snapshot. */
export interface DecisionViews {
  readonly clients: readonly DecisionClient[];
  readonly applications: ReadonlyMap<string, ApplicationSpace>;
}

/** Builds what decisions stand on from rows; keeps what did not change. Owned by the feed of one gateway. */
export class ApplicationViews {
  readonly #bundles = new Map<string, Compiled>();
  readonly #views = new Map<string, { readonly stamp: string; readonly view: Applications }>();
  readonly #sampler: Sampler | undefined;

  constructor(sampler?: Sampler) {
    this.#sampler = sampler;
  }

  async build(db: Reader, now: number): Promise<DecisionViews> {
    const clients = await clientsInForce(db);
    const digests = await activeDigests(db);
    const stamps = new Map((await dataStamps(db)).map((stamp) => [stamp.space, `${stamp.entities} ${stamp.newest}`]));
    const grants = (await grantedAccess(db, now - approvalMs)).flatMap((row) => {
      const grant = grantFrom(row);
      return grant === undefined ? [] : [{ space: row.space, grant }];
    });
    for (const digest of this.#bundles.keys()) if (![...digests.values()].includes(digest)) this.#bundles.delete(digest);
    const applications = new Map<string, ApplicationSpace>();
    for (const [space, digest] of digests) {
      const compiled = await this.#compiled(db, space, digest);
      if (compiled === undefined) continue;
      const view = await this.#view(db, { space, digest, stamp: stamps.get(space) ?? "", compiled });
      const own = new Map(grants.flatMap(({ space: where, grant }) => (where === space ? [[grant.id, grant] as const] : [])));
      applications.set(space, new ApplicationSpace(view, { grants: own, obligations: compiled.policies.obligations }));
    }
    return { clients: clients.map(({ id, space, name, digest, expires_at }) => ({ id, space, name, digest, expiresAt: expires_at })), applications };
  }

  /** Undefined where the bundle has no application. */
  async #view(db: Reader, { space, digest, stamp, compiled }: Viewing): Promise<Applications | undefined> {
    const before = this.#views.get(space);
    if (before?.stamp === stamp && before.view.parts.digest === digest) return before.view;
    if (compiled.policies.packs.length === 0) return undefined;
    const sameData = before?.stamp === stamp ? before.view.parts.data : undefined;
    const data = sameData ?? new ApplicationData((await entitiesOf(db, space)).map((text): CedarEntity => readEntity(text)));
    const view = new Applications({ space, digest, decider: withSampling(compiled.decider, { sampler: this.#sampler, space }), policies: compiled.policies, data });
    this.#views.set(space, { stamp, view });
    return view;
  }

  async #compiled(db: Reader, space: string, digest: string): Promise<Compiled | undefined> {
    const before = this.#bundles.get(digest);
    if (before !== undefined) return before;
    const bundle = await bundleOf(db, space);
    // Published in between: the next build has it, and this one must not pass one bundle off as another.
    if (bundle.digest !== digest) return undefined;
    const compiled = { policies: applicationPolicies(bundle), decider: createDecider(bundle) };
    this.#bundles.set(digest, compiled);
    return compiled;
  }
}
