import { z } from "zod";
import { approvingRoles, roles } from "../roles.ts";
import { ApiVersion, ProviderKind } from "../entries/inventory.ts";
import { Digest, Id, PageQuery, Slug, Time } from "../vocabulary.ts";
import type { Routes } from "./route.ts";
import { RequestView } from "./systems.ts";

const inSpace = z.object({ space: Slug });
const Role = z.enum(roles).meta({ id: "Role" });
const Email = z.email().max(254);
/** Length is what makes a password strong; nothing else is demanded (NIST SP 800-63B). */
const Password = z.string().min(12).max(128);

export const SessionView = z
  .strictObject({
    setupOpen: z.boolean().describe("no account exists yet: use the one-time link that the server printed"),
    person: z.strictObject({ id: Id, email: z.string(), name: z.string() }).nullable(),
    spaces: z.array(z.strictObject({ space: Slug, roles: z.array(Role) })),
    authenticatedAt: Time.nullable(),
    method: z.enum(["password", "passkey"]).nullable(),
    passkeys: z.int(),
  })
  .meta({ id: "SessionView" });
export type SessionView = z.output<typeof SessionView>;

export const PersonView = z
  .strictObject({ id: Id, email: z.string(), name: z.string(), createdAt: Time, invited: z.boolean(), roles: z.array(z.strictObject({ role: Role, grantedBy: z.string(), grantedAt: Time })) })
  .meta({ id: "PersonView" });

export const ProviderView = z
  .strictObject({ id: Slug, kind: ProviderKind, apiVersion: z.string().nullable(), baseUrl: z.url(), vendor: z.string(), region: z.string(), registeredBy: z.string(), registeredAt: Time, hasKey: z.boolean() })
  .meta({ id: "ProviderView" });

export const HoldView = z
  .strictObject({ id: Id, scope: z.enum(["all", "system", "vendor"]), system: z.string().nullable(), vendor: z.string().nullable(), reason: z.string(), placedBy: z.string(), placedAt: Time, liftedBy: z.string().nullable(), liftedAt: Time.nullable() })
  .meta({ id: "HoldView" });

export const LogView = z
  .strictObject({
    origin: z.string(),
    size: z.int(),
    checkpoint: z.string(),
    vkey: z.string(),
    trustFingerprint: z.string(),
    trust: z.record(z.string(), z.unknown()),
    shards: z.array(z.strictObject({ name: z.string(), origin: z.string(), base: z.int(), size: z.int(), frozen: z.boolean() })),
    storage: z.strictObject({ logBytes: z.int(), databaseBytes: z.int(), filesBytes: z.int(), at: Time }),
    witnesses: z.strictObject({
      configured: z.int(),
      note: z.string(),
      quorum: z.boolean().describe("the published checkpoint carries the cosignatures that the witness policy asks for"),
      items: z.array(
        z.strictObject({
          name: z.string(),
          url: z.string(),
          size: z.int().nullable().describe("entries under the last checkpoint that it cosigned"),
          cosignedAt: Time.nullable(),
          ageMs: z.int().nullable(),
          error: z.string().nullable().describe("why it did not cosign the last time it was asked"),
        }),
      ),
    }),
  })
  .meta({ id: "LogView" });

export const LogRow = z
  .strictObject({ id: Id, index: z.int(), kind: z.string(), system: z.string().nullable(), actor: z.string(), at: Time })
  .meta({ id: "LogRow" });

export const LogEntryView = z
  .strictObject({
    row: LogRow,
    leaf: z.string().describe("canonical JSON exactly as logged"),
    proof: z.array(z.string()).describe("inclusion proof, base64 hashes, leaf to root"),
    size: z.int(),
    checkpoint: z.string(),
    body: z.record(z.string(), z.unknown()).nullable().describe("the opened payload; null when it was erased or you may not see it"),
    payload: z.enum(["open", "erased", "withheld"]),
    shard: z.strictObject({ name: z.string(), origin: z.string(), index: z.int().describe("the leaf's place in this shard's tree") }),
  })
  .meta({ id: "LogEntryView" });

/** A move that only happens when another person agrees: done at once while there is only one. */
const MoveAnswer = z.strictObject({ done: z.boolean(), request: RequestView });

export const organisationRoutes = {
  health: { method: "GET", path: "/api/health", permission: "public", summary: "Whether the server can do its work", response: z.strictObject({ ok: z.boolean(), version: z.string(), database: z.enum(["sqlite", "postgres"]), log: z.enum(["writable", "poisoned"]) }) },
  showSession: { method: "GET", path: "/api/session", permission: "public", summary: "Who is asking", response: SessionView },
  setUp: { method: "POST", path: "/api/setup", permission: "public", summary: "Uses the one-time set-up link: the first account", body: z.strictObject({ token: z.string().max(200), name: z.string().min(1).max(200), email: Email, password: Password }), created: true, response: SessionView },
  acceptInvitation: { method: "POST", path: "/api/invitations", permission: "public", summary: "Uses an invitation: sets the password", body: z.strictObject({ token: z.string().max(200), password: Password }), created: true, response: z.strictObject({ email: z.string() }) },
  listPeople: { method: "GET", path: "/api/spaces/:space/people", permission: "person.read", summary: "People and their roles", params: inSpace, query: PageQuery, response: z.strictObject({ items: z.array(PersonView), next: z.string().nullable() }) },
  addPerson: { method: "POST", path: "/api/spaces/:space/people", permission: "person.manage", summary: "Adds a person and returns a one-time invitation", params: inSpace, body: z.strictObject({ email: Email, name: z.string().min(1).max(200) }), created: true, response: z.strictObject({ person: PersonView, invitation: z.string(), expiresAt: Time }) },
  grantRole: { method: "POST", path: "/api/spaces/:space/people/:person/roles", permission: "person.manage", summary: "Grants a role: a gate move", params: z.object({ space: Slug, person: Id }), body: z.strictObject({ role: Role }), created: true, response: MoveAnswer },
  revokeRole: { method: "DELETE", path: "/api/spaces/:space/people/:person/roles/:role", permission: "person.manage", summary: "Takes a role away", params: z.object({ space: Slug, person: Id, role: Role }), response: PersonView },
  listProviders: { method: "GET", path: "/api/spaces/:space/providers", permission: "provider.read", summary: "Registered model providers", params: inSpace, response: z.strictObject({ items: z.array(ProviderView) }) },
  registerProvider: { method: "POST", path: "/api/spaces/:space/providers", permission: "provider.register", summary: "Registers a model provider: a gate move", params: inSpace, body: z.strictObject({ id: Slug, kind: ProviderKind.default("openai"), apiVersion: ApiVersion.optional(), baseUrl: z.url().max(500), vendor: z.string().min(1).max(200), region: z.string().min(1).max(63), key: z.string().max(500).default(""), allowPrivate: z.boolean().default(false) }), created: true, response: MoveAnswer },
  listHolds: { method: "GET", path: "/api/spaces/:space/holds", permission: "system.read", summary: "Holds in force and lifted", params: inSpace, query: PageQuery, response: z.strictObject({ items: z.array(HoldView), next: z.string().nullable() }) },
  placeHold: { method: "POST", path: "/api/spaces/:space/holds", permission: "hold.place", summary: "Stops a system, a vendor or everything at once", params: inSpace, body: z.strictObject({ scope: z.enum(["all", "system", "vendor"]), system: Slug.optional(), vendor: z.string().min(1).max(200).optional().describe("as its providers were registered"), reason: z.string().min(1).max(2000) }), created: true, response: HoldView },
  liftHold: { method: "POST", path: "/api/spaces/:space/holds/:hold/lift", permission: "hold.lift", summary: "Asks to lift a hold: a gate move", params: z.object({ space: Slug, hold: Id }), body: z.strictObject({ reason: z.string().min(1).max(2000) }), created: true, response: MoveAnswer },
  revokeCredential: { method: "POST", path: "/api/spaces/:space/credentials/:credential/revoke", permission: "credential.revoke", summary: "Revokes a deployment's credential", params: z.object({ space: Slug, credential: Id }), body: z.strictObject({ reason: z.string().min(1).max(2000) }), response: z.strictObject({ id: Id, revokedAt: Time }) },
  revokeAto: { method: "POST", path: "/api/spaces/:space/atos/:ato/revoke", permission: "hold.place", summary: "Revokes an authorization to operate", params: z.object({ space: Slug, ato: Id }), body: z.strictObject({ reason: z.string().min(1).max(2000) }), response: z.strictObject({ id: Id, state: z.literal("revoked") }) },
  showQueue: { method: "GET", path: "/api/spaces/:space/queue", permission: "signed-in", summary: "What waits for you", params: inSpace, response: z.strictObject({ items: z.array(z.strictObject({ request: RequestView, roles: z.array(z.string()), mayAnswer: z.boolean(), why: z.string() })) }) },
  listRequests: { method: "GET", path: "/api/spaces/:space/requests", permission: "system.read", summary: "Requests, newest first", params: inSpace, query: PageQuery.extend({ status: z.enum(["open", "granted", "refused", "returned"]).optional() }), response: z.strictObject({ items: z.array(RequestView), next: z.string().nullable() }) },
  showRequest: { method: "GET", path: "/api/spaces/:space/requests/:request", permission: "system.read", summary: "One request with its gate and approvals", params: z.object({ space: Slug, request: Id }), response: RequestView },
  draftApproval: { method: "POST", path: "/api/spaces/:space/requests/:request/drafts", permission: "approval.give", summary: "The exact statement that an approval will sign, and its challenge for a passkey", params: z.object({ space: Slug, request: Id }), body: z.strictObject({ role: z.enum(approvingRoles), answer: z.enum(["approve", "return", "refuse"]), comment: z.string().max(4000) }), response: z.strictObject({ statement: z.string(), digest: Digest, challenge: z.string().describe("base64url of the statement's SHA-256"), allowCredentials: z.array(z.string()) }) },
  giveApproval: { method: "POST", path: "/api/spaces/:space/requests/:request/approvals", permission: "approval.give", summary: "Approves, returns or refuses", params: z.object({ space: Slug, request: Id }), body: z.strictObject({ role: z.enum(approvingRoles), answer: z.enum(["approve", "return", "refuse"]), comment: z.string().max(4000), statement: z.string().max(20_000).optional(), assertion: z.record(z.string(), z.unknown()).optional() }), created: true, response: RequestView },
  showLog: { method: "GET", path: "/api/spaces/:space/log", permission: "log.read", summary: "The log's checkpoint, keys and trust file", params: inSpace, response: LogView },
  listLog: { method: "GET", path: "/api/spaces/:space/log/entries", permission: "log.read", summary: "Entries, newest first", params: inSpace, query: PageQuery.extend({ kind: z.string().max(80).optional(), system: Slug.optional(), find: z.string().max(200).optional().describe("an entry's number, or the beginning of its id, kind or system, or part of a person's name or e-mail"), from: z.coerce.number().int().min(0).optional().describe("milliseconds since the Unix epoch"), to: z.coerce.number().int().min(0).optional().describe("exclusive") }), response: z.strictObject({ items: z.array(LogRow), next: z.string().nullable() }) },
  showLogEntry: { method: "GET", path: "/api/spaces/:space/log/entries/:entry", permission: "log.read", summary: "One entry with its inclusion proof, by its id or its number in the log", params: z.object({ space: Slug, entry: z.string().regex(/^(?:\d{1,15}|.{3,80})$/u) }), response: LogEntryView },
} as const satisfies Routes;
