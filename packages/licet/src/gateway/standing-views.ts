import type { SignerKey } from "@licet/evidence";
import { ProviderKind, ReleaseBundle, type AtoPredicate, type Model } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { z } from "zod";
import { releaseOf, type ReleaseComponent } from "../inventory/release.ts";
import { holdScope } from "../oversight/holds.ts";
import { readBundle } from "../policy/bundle.ts";
import { createDecider, isDistrusted } from "../policy/decide.ts";
import { decideSampled, type Sampler } from "../policy/sampling.ts";
import { budgetsOf, pricesOf } from "./budgets/standing.ts";
import { wireResponseFormat } from "./conform.ts";
import { detectionOf, type Detection } from "./detect/rules.ts";
import { SignedAtos } from "./signed-ato.ts";
import type { AtoView, CredentialView, DeploymentView, ModelView, PolicyBundleView, PromptView, SnapshotInput } from "./snapshot.ts";
import type { StandingRows } from "./store.ts";

type Rows<K extends keyof StandingRows> = StandingRows[K] extends readonly (infer R)[] ? R : never;

/** What of a release the gateway compares calls with. Releases are immutable, so each is worked out once. */
type ReleaseViews = Pick<DeploymentView, "models" | "prompts" | "tools" | "boundary" | "budgets" | "oversight">;

function modelView(model: Model, components: readonly ReleaseComponent[]): ModelView {
  const component = components.find((each) => each.kind === "model" && each.name === model.name);
  const format = model.responseFormat === undefined ? undefined : wireResponseFormat(model.responseFormat);
  return {
    name: model.name,
    provider: model.provider,
    model: model.model,
    bounds: model.parameters ?? {},
    ...(model.file === undefined && model.digest === undefined ? {} : { digest: component?.digest ?? "" }),
    ...(model.version === undefined ? {} : { version: model.version }),
    ...(format === undefined ? {} : { responseFormat: format }),
    ...allowedOf(model),
  };
}

/** What a call to the model may ask for, and what may happen when its provider fails. */
function allowedOf({ scoring, permissions, fallback, retries }: Model): Pick<ModelView, "scores" | "permissions" | "fallback" | "retries"> {
  return {
    ...(scoring !== undefined && { scores: true }),
    ...(permissions !== undefined && { permissions }),
    ...(fallback !== undefined && { fallback }),
    ...(retries !== undefined && { retries }),
  };
}

function promptView(component: ReleaseComponent): readonly PromptView[] {
  if (component.kind !== "prompt") return [];
  const { name, role } = component;
  return component.form === "literal" ? [{ name, role, digest: component.digest }] : [{ name, role, template: { text: component.text, holes: component.holes } }];
}

export function releaseViews(bundle: ReleaseBundle): ReleaseViews {
  const { components } = releaseOf(bundle);
  const { manifest } = bundle;
  return {
    models: manifest.components.models.map((model) => modelView(model, components)),
    prompts: components.flatMap(promptView),
    tools: components.flatMap((each) => (each.kind === "tool" ? [{ name: each.name, digest: each.digest, power: each.power }] : [])),
    boundary: { classes: manifest.dataBoundary.classes, regions: manifest.dataBoundary.regions, sharingPaths: manifest.dataBoundary.sharingPaths },
    oversight: manifest.oversight.mode,
    ...(manifest.budgets === undefined ? {} : { budgets: { release: manifest.budgets } }),
  };
}

/** Everything but the state is the signed statement's, not the row's. */
function atoView(row: Rows<"atos">, signed: AtoPredicate): AtoView {
  const { id, notBefore, notAfter, release, stage, environment } = signed;
  return { id, state: row.state, notBefore, notAfter, release, stage, environment, entry: row.entry };
}

const openStates: readonly string[] = ["granted", "conditional"];

/** The one that opens traffic, else the newest: its state then says why not. */
function atoOf(rows: StandingRows, deployment: Rows<"deployments">): Rows<"atos"> | undefined {
  const candidates = rows.atos.filter(
    (row) =>
      row.space === deployment.space &&
      row.system === deployment.system &&
      row.release === deployment.release &&
      row.stage === deployment.stage &&
      row.environment === deployment.environment,
  );
  return candidates.findLast((row) => openStates.includes(row.state)) ?? candidates.at(-1);
}

const Approved = z.array(z.object({ person: z.string(), role: z.string() }));

/**
 * The waiver under which a deployment is observed. One that is older than a revocation in the same place, or stands beside
 * a suspension, says nothing: whoever stopped the system did not mean it to go on watched.
 */
function observed(rows: StandingRows, { space, system, environment }: Rows<"deployments">): Pick<DeploymentView, "observe"> {
  const here = (row: { readonly space: string; readonly system: string; readonly environment: string }): boolean => row.space === space && row.system === system && row.environment === environment;
  const waiver = rows.waivers.findLast((row) => here(row) && row.kind === "observe");
  if (waiver === undefined) return {};
  const stopped = rows.atos.some((row) => here(row) && (row.state === "suspended" || (row.state === "revoked" && row.state_reason?.startsWith("superseded by ") !== true && row.state_since >= waiver.not_before)));
  if (stopped) return {};
  const granted = Approved.parse(parseJson(waiver.approvals));
  return { observe: { id: waiver.id, notBefore: waiver.not_before, notAfter: waiver.not_after, asked: waiver.requested_by, granted, soleOperator: granted.length === 0 } };
}

/** Builds snapshots from rows; keeps what is immutable between them. Owned by the feed of one gateway. */
export class StandingViews {
  readonly #releases = new Map<string, ReleaseViews>();
  readonly #policies = new Map<string, PolicyBundleView>();
  readonly #detections = new Map<string, Detection>();
  readonly #atos: SignedAtos;
  readonly #sampler: Sampler | undefined;

  constructor(keys: readonly SignerKey[], sampler?: Sampler) {
    this.#atos = new SignedAtos(keys);
    this.#sampler = sampler;
  }

  async build(rows: StandingRows): Promise<SnapshotInput> {
    const deployments = new Map<string, DeploymentView>();
    for (const row of rows.deployments) deployments.set(`${row.space} ${row.id}`, await this.#deployment(rows, row));
    const credentials = rows.credentials.flatMap((row): readonly CredentialView[] => {
      const deployment = deployments.get(`${row.space} ${row.deployment}`);
      if (deployment === undefined) return [];
      return [{ id: row.id, space: row.space, digest: row.digest.replace(/^sha256:/u, ""), expiresAt: row.expires_at, revokedAt: row.revoked_at, deployment }];
    });
    const spaces = new Set([...rows.policies, ...rows.holds, ...rows.providers, ...rows.deployments].map((row) => row.space));
    return { version: rows.version, credentials, spaces: [...spaces].map((space) => this.#space(rows, space)) };
  }

  async #deployment(rows: StandingRows, row: Rows<"deployments">): Promise<DeploymentView> {
    const found = atoOf(rows, row);
    const signed = found === undefined ? undefined : await this.#atos.read(found);
    const ato = found === undefined || signed === undefined ? undefined : atoView(found, signed);
    const release = this.#release(rows, row);
    return {
      id: row.id,
      space: row.space,
      system: row.system,
      environment: row.environment,
      stage: row.stage,
      active: row.active === 1,
      release: row.release,
      tier: signed?.tier ?? "unassessed",
      ...release,
      ...budgetsOf(rows, row, release.budgets),
      ...(ato === undefined ? {} : { ato }),
      ...observed(rows, row),
    };
  }

  #release(rows: StandingRows, row: Rows<"deployments">): ReleaseViews {
    const before = this.#releases.get(row.release);
    if (before !== undefined) return before;
    const stored = rows.releases.find((each) => each.space === row.space && each.system === row.system && each.digest === row.release);
    if (stored === undefined) return { models: [], prompts: [], tools: [], boundary: { classes: [], regions: [] } };
    const views = releaseViews(ReleaseBundle.parse(parseJson(stored.bundle)));
    this.#releases.set(row.release, views);
    return views;
  }

  #space(rows: StandingRows, space: string): SnapshotInput["spaces"][number] {
    const policy = rows.policies.find((row) => row.space === space);
    const privacy = rows.privacy.find((row) => row.space === space);
    return {
      space,
      holds: rows.holds
        .filter((row) => row.space === space)
        .map((row) => ({ id: row.id, scope: holdScope(row.scope), reason: row.reason, ...(row.system !== null && { system: row.system }), ...(row.vendor !== null && { vendor: row.vendor }) })),
      providers: rows.providers
        .filter((row) => row.space === space)
        .map((row) => ({
          id: row.id,
          baseUrl: row.base_url,
          region: row.region,
          vendor: row.vendor,
          kind: ProviderKind.parse(row.dialect),
          ...(row.api_version !== "" && { apiVersion: row.api_version }),
          keyRef: `${space}/${row.id}`,
          allow: row.allow_private === 1 ? ["loopback", "private"] : ["loopback"],
          ...pricesOf(rows, row),
        })),
      ...(privacy === undefined ? {} : { contentModes: privacy.settings.contentModes }),
      ...(policy === undefined ? {} : { policyBundle: this.#policy(policy), ...this.#detection(policy) }),
    };
  }

  /** Of a bundle that `#policy` has read. */
  #detection(row: Rows<"policies">): { readonly detection?: Detection } {
    const detection = this.#detections.get(row.digest);
    return detection === undefined ? {} : { detection };
  }

  /** A bundle whose content is not that of its digest, or whose golden decisions come out differently, never decides. */
  #policy(row: Rows<"policies">): PolicyBundleView {
    const key = `${row.space} ${row.digest}`;
    const before = this.#policies.get(key);
    if (before !== undefined) return before;
    const bundle = readBundle(row.bundle, row.digest);
    if (bundle.detection !== undefined) this.#detections.set(row.digest, detectionOf(bundle.detection));
    const decider = createDecider(bundle);
    const asked = { decider, sampler: this.#sampler, space: row.space };
    const view: PolicyBundleView = { digest: row.digest, decide: async (request) => decideSampled(asked, request), epoch: () => (isDistrusted(row.digest) ? 1 : 0) };
    this.#policies.set(key, view);
    return view;
  }
}
