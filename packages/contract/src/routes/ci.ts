import { z } from "zod";
import { CiClaim, CiClaimNames, CiKind } from "../entries/ci.ts";
import { Id, Slug, Time } from "../vocabulary.ts";
import type { Routes } from "./route.ts";
import { RequestView } from "./systems.ts";

const ofSystem = z.object({ space: Slug, system: Slug });

/** Longest token that is looked at, in characters; GitHub's have some two thousand. */
export const ciTokenCharactersMax = 16_384;
export const ciAuthorsMax = 50;

export const CiRegistrationView = z
  .strictObject({
    id: Id,
    system: Slug,
    kind: CiKind,
    issuer: z.string(),
    audience: z.string(),
    names: CiClaimNames,
    claims: z.array(CiClaim),
    allowPrivate: z.boolean(),
    registeredBy: z.string(),
    registeredAt: Time,
    request: Id,
    outcome: z.string(),
    removedBy: z.string().nullable(),
    removedAt: Time.nullable(),
    removedBecause: z.string().nullable(),
    runs: z.int().describe("tokens exchanged under it"),
    lastRunAt: Time.nullable(),
    entry: Id,
  })
  .meta({ id: "CiRegistrationView" });
export type CiRegistrationView = z.output<typeof CiRegistrationView>;

export const ciRoutes = {
  registerCi: {
    method: "POST",
    path: "/api/spaces/:space/systems/:system/ci",
    permission: "ci.register",
    summary: "Registers whose CI tokens may begin counted runs of a system: a gate move",
    params: ofSystem,
    body: z.strictObject({
      kind: CiKind,
      issuer: z.url().max(500).describe("exactly the `iss` of its tokens"),
      audience: z.string().min(1).max(500),
      names: CiClaimNames.optional().describe("only for `other`; the presets have their own"),
      claims: z.array(CiClaim).min(3).max(20),
      allowPrivate: z.boolean().default(false).describe("the issuer may have a private address"),
    }),
    created: true,
    response: z.strictObject({ done: z.boolean(), request: RequestView }),
  },
  listCi: {
    method: "GET",
    path: "/api/spaces/:space/systems/:system/ci",
    permission: "system.read",
    summary: "The CI registrations of a system, in force and removed, newest first",
    params: ofSystem,
    response: z.strictObject({ items: z.array(CiRegistrationView) }),
  },
  removeCi: {
    method: "POST",
    path: "/api/spaces/:space/systems/:system/ci/:registration/remove",
    permission: "ci.remove",
    summary: "Removes a CI registration at once; credentials exchanged under it end with it",
    params: z.object({ space: Slug, system: Slug, registration: Id }),
    body: z.strictObject({ reason: z.string().min(1).max(2000) }),
    response: CiRegistrationView,
  },
  exchangeCiToken: {
    method: "POST",
    path: "/api/spaces/:space/systems/:system/ci-exchange",
    permission: "public",
    summary: "Exchanges a CI's OpenID Connect token for the right to one counted run; needs no session",
    params: ofSystem,
    body: z.strictObject({
      token: z.string().min(1).max(ciTokenCharactersMax),
      authors: z.array(z.email().max(254)).max(ciAuthorsMax).default([]).describe("commit authors: they do not approve the release that is checked"),
    }),
    bodyBytesMax: 65_536,
    created: true,
    response: z.strictObject({ run: Id, secret: z.string().describe("bearer token for one ticket and its results, shown once"), expiresAt: Time, registration: Id, repository: z.string(), ref: z.string(), commit: z.string().nullable() }),
  },
} as const satisfies Routes;
