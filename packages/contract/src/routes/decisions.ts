import { z } from "zod";
import { DataEntity, EntityUid } from "../entries/decisions.ts";
import { Id, PageQuery, Slug, Time } from "../vocabulary.ts";
import type { Routes } from "./route.ts";

const inSpace = z.object({ space: Slug });

/** A batch is one entry of the log; larger data goes in several. */
export const dataEntitiesMax = 2000;
export const dataBatchBytesMax = 4_194_304;

export const SpaceView = z.strictObject({ name: Slug, title: z.string(), createdAt: Time, entry: Id }).meta({ id: "SpaceView" });
export type SpaceView = z.output<typeof SpaceView>;

export const DecisionClientView = z
  .strictObject({ id: Id, name: z.string(), issuedBy: z.string(), issuedAt: Time, expiresAt: Time, revokedAt: Time.nullable(), entry: Id })
  .meta({ id: "DecisionClientView" });
export type DecisionClientView = z.output<typeof DecisionClientView>;

export const DataBatch = z
  .strictObject({ upsert: z.array(DataEntity).max(dataEntitiesMax).default([]), remove: z.array(EntityUid).max(dataEntitiesMax).default([]) })
  .refine(({ upsert, remove }) => upsert.length + remove.length > 0, { message: "the batch is empty" })
  .meta({ id: "DataBatch" });

export const DataEntityView = z.strictObject({ ...DataEntity.shape, updatedAt: Time, entry: Id }).meta({ id: "DataEntityView" });

const DataQuery = PageQuery.extend({
  type: z.string().max(300).optional().describe("a Cedar entity type"),
  search: z.string().max(200).optional().describe("part of an id"),
  cursor: z.string().max(3000).optional(),
});

export const decisionRoutes = {
  openSpace: {
    method: "POST",
    path: "/api/spaces/:space/spaces",
    permission: "space.manage",
    summary: "Opens another space; asked in `main` by an administrator, who becomes the new one's administrator",
    params: inSpace,
    body: z.strictObject({ name: Slug, title: z.string().min(1).max(120) }),
    created: true,
    response: SpaceView,
  },
  changePolicyData: {
    method: "PUT",
    path: "/api/spaces/:space/policy/entities",
    permission: "policy.data",
    summary: "Puts entities into the data that application policies decide on, or takes them out: one entry",
    params: inSpace,
    body: DataBatch,
    bodyBytesMax: dataBatchBytesMax,
    response: z.strictObject({ upserted: z.int(), removed: z.int(), entry: Id }),
  },
  listPolicyData: {
    method: "GET",
    path: "/api/spaces/:space/policy/entities",
    permission: "policy.read",
    summary: "The data that application policies decide on, by type and id",
    params: inSpace,
    query: DataQuery,
    response: z.strictObject({ items: z.array(DataEntityView), next: z.string().nullable() }),
  },
  issueDecisionClient: {
    method: "POST",
    path: "/api/spaces/:space/policy/clients",
    permission: "policy.data",
    summary: "Issues a token for a program that asks for decisions; shown once",
    params: inSpace,
    body: z.strictObject({ name: z.string().min(1).max(120), days: z.int().min(1).max(730).default(90) }),
    created: true,
    response: z.strictObject({ client: DecisionClientView, token: z.string() }),
  },
  listDecisionClients: {
    method: "GET",
    path: "/api/spaces/:space/policy/clients",
    permission: "policy.read",
    summary: "The programs that may ask for decisions, newest first",
    params: inSpace,
    query: PageQuery,
    response: z.strictObject({ items: z.array(DecisionClientView), next: z.string().nullable() }),
  },
  revokeDecisionClient: {
    method: "DELETE",
    path: "/api/spaces/:space/policy/clients/:client",
    permission: "policy.data",
    summary: "Revokes a decision client's token, from the next second on",
    params: inSpace.extend({ client: Id }),
    query: z.object({ reason: z.string().min(1).max(500) }),
    response: DecisionClientView,
  },
} as const satisfies Routes;
