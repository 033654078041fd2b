import { PrivacySettings } from "@licet/contract";
import { createHash } from "node:crypto";
import { z } from "zod";
import { LicetError } from "../base/errors.ts";
import type { StandingRows } from "./store.ts";

/**
 * What a snapshot is built from, as it travels to a gateway process: the rows of one space, and large immutable texts
 * (policy bundles, releases) by the digest of their bytes. The gateway builds its views from them as the embedded one
 * does, so signatures of authorizations, digests of bundles and their golden decisions are proven where they decide.
 */
export interface StandingWire {
  readonly standing: unknown;
  /** Texts by `sha256:…` of their UTF-8 bytes. */
  readonly blobs: ReadonlyMap<string, string>;
}

type Rows<K extends keyof StandingRows> = StandingRows[K] extends readonly (infer R)[] ? R : never;

const text = z.string();
const count = z.number();
const texts = z.string().nullable();
const counts = z.number().nullable();

/** INVARIANT: every column that views are built from is here; a column that the table gains does not compile without. */
const rows = {
  credential: z.strictObject({ space: text, id: text, deployment: text, digest: text, hint: text, issued_by: text, issued_at: count, expires_at: count, revoked_at: counts, entry: text }) satisfies z.ZodType<Rows<"credentials">>,
  deployment: z.strictObject({ space: text, id: text, system: text, environment: text, stage: text, release: text, active: count, recorded_by: text, recorded_at: count, attested: text, entry: text }) satisfies z.ZodType<Rows<"deployments">>,
  ato: z.strictObject({ space: text, id: text, system: text, release: text, stage: text, environment: text, state: text, not_before: count, not_after: count, request: text, statement: text, granted_at: count, state_since: count, state_reason: texts, entry: text }) satisfies z.ZodType<Rows<"atos">>,
  hold: z.strictObject({ space: text, id: text, scope: text, system: texts, reason: text, placed_by: text, placed_at: count, lifted_by: texts, lifted_at: counts, entry: text, vendor: texts }) satisfies z.ZodType<Rows<"holds">>,
  provider: z.strictObject({ space: text, id: text, dialect: text, base_url: text, vendor: text, region: text, allow_private: count, registered_by: text, registered_at: count, active: count, entry: text, api_version: text }) satisfies z.ZodType<Rows<"providers">>,
  policy: z.strictObject({ space: text, digest: text, bundle: text, published_by: text, published_at: count, active: count, entry: text }) satisfies z.ZodType<Rows<"policies">>,
  release: z.strictObject({ space: text, system: text, digest: text, bundle: text }) satisfies z.ZodType<Rows<"releases">>,
  waiver: z.strictObject({ space: text, id: text, kind: text, system: text, environment: text, reason: text, compensation: text, request: text, requested_by: text, outcome: text, approvals: text, not_before: count, not_after: count, ended_at: counts, ended_by: texts, end_cause: texts, end_reason: texts, entry: text }) satisfies z.ZodType<Rows<"waivers">>,
  budgetLimit: z.strictObject({ space: text, system: text, limits: text, reason: text, changed_by: text, changed_at: count, entry: text }) satisfies z.ZodType<Rows<"budgetLimits">>,
  modelPrice: z.strictObject({ space: text, provider: text, model: text, known: text, source: text, changed_by: text, changed_at: count, entry: text }) satisfies z.ZodType<Rows<"modelPrices">>,
  privacy: z.strictObject({ space: text, settings: PrivacySettings }) satisfies z.ZodType<Rows<"privacy">>,
};

const Standing = z.strictObject({
  version: z.int(),
  credentials: z.array(rows.credential),
  deployments: z.array(rows.deployment),
  atos: z.array(rows.ato),
  holds: z.array(rows.hold),
  providers: z.array(rows.provider),
  policies: z.array(rows.policy),
  releases: z.array(rows.release),
  privacy: z.array(rows.privacy),
  budgetLimits: z.array(rows.budgetLimit),
  modelPrices: z.array(rows.modelPrice),
  waivers: z.array(rows.waiver),
}) satisfies z.ZodType<StandingRows>;

/** The rows of one space; a gateway gets no other's. */
export function standingToWire(all: StandingRows, space: string): StandingWire {
  const blobs = new Map<string, string>();
  const own = <R extends { readonly space: string }>(list: readonly R[]): readonly R[] => list.filter((row) => row.space === space);
  const aside = <R extends { readonly bundle: string }>(row: R): R => {
    const ref = blobRef(row.bundle);
    blobs.set(ref, row.bundle);
    return { ...row, bundle: ref };
  };
  const standing = {
    ...all,
    credentials: own(all.credentials),
    deployments: own(all.deployments),
    atos: own(all.atos),
    holds: own(all.holds),
    providers: own(all.providers),
    policies: own(all.policies).map(aside),
    releases: own(all.releases).map(aside),
    privacy: own(all.privacy),
    budgetLimits: own(all.budgetLimits),
    modelPrices: own(all.modelPrices),
    waivers: own(all.waivers),
  };
  return { standing, blobs };
}

/** Throws `gateway_feed_refused` for another form, or where a text that it names is not there. */
export function standingFromWire(value: unknown, { space, blob }: { readonly space: string; readonly blob: (ref: string) => string | undefined }): StandingRows {
  const parsed = Standing.safeParse(value);
  if (!parsed.success) throw new LicetError("gateway_feed_refused", { message: "the standing has a form that this version of Licet does not know", cause: parsed.error });
  const back = <R extends { readonly bundle: string }>(row: R): R => {
    const bundle = blob(row.bundle);
    if (bundle === undefined) throw new LicetError("gateway_feed_refused", { message: "the standing names a bundle that did not come" });
    return { ...row, bundle };
  };
  const { policies, releases, ...rest } = parsed.data;
  const foreign = Object.values({ ...rest, policies, releases }).some((list) => Array.isArray(list) && list.some((row) => row.space !== space));
  if (foreign) throw new LicetError("gateway_feed_refused", { message: "the standing is another space's" });
  return { ...rest, policies: policies.map(back), releases: releases.map(back) };
}

export function blobRef(bytes: string): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
