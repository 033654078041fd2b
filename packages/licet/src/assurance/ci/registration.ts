import { canonicalize } from "@licet/evidence";
import { CiDetail, type CiRegistrationView, type RouteRequest } from "@licet/contract";
import { LicetError } from "../../base/errors.ts";
import { newId } from "../../base/ids.ts";
import { findSystem } from "../../inventory/store.ts";
import type { AssuranceDeps } from "../ticket.ts";
import { ciRegistrationOfRequest, ciRegistrationsOf, ciUse, findCiRegistration, listCiRegistrations, type CiRegistration, type Reader } from "../store.ts";
import { ciDetail } from "./rules.ts";

/** In force for one system. */
export const registrationsMax = 20;

function sameRules(one: Pick<CiRegistration, "issuer" | "audience" | "claims">, other: Pick<CiDetail, "issuer" | "audience" | "claims">): boolean {
  const text = ({ issuer, audience, claims }: Pick<CiDetail, "issuer" | "audience"> & { readonly claims: readonly unknown[] }): string => canonicalize({ issuer, audience, claims: claims.map((rule) => canonicalize(rule)).sort() });
  return text(one) === text(other);
}

/** Why it cannot be in force, or undefined. */
async function obstacle(db: Reader, space: string, { system, detail }: { readonly system: string; readonly detail: CiDetail }): Promise<LicetError | undefined> {
  const there = await ciRegistrationsOf(db, space, system);
  const same = there.find((each) => sameRules(each, detail));
  if (same !== undefined) return new LicetError("ci_registered_already", { message: `${same.id} has the same issuer, audience and rules` });
  return there.length >= registrationsMax ? new LicetError("ci_registrations_full", { message: `\`${system}\` has ${registrationsMax} registrations` }) : undefined;
}

/** What the gate move is asked with. Throws `not_found`, `ci_rule_refused`, `ci_issuer_refused`, `ci_registered_already`, `ci_registrations_full`. */
export async function prepareRegistration(db: Reader, space: string, asked: { readonly system: string; readonly body: RouteRequest<"registerCi">["body"] }): Promise<CiDetail> {
  const { system, body } = asked;
  if ((await findSystem(db, space, system)) === undefined) throw new LicetError("not_found", { message: `there is no system \`${system}\` in this space` });
  const detail = ciDetail(body);
  const against = await obstacle(db, space, { system, detail });
  if (against !== undefined) throw against;
  return detail;
}

export interface ApprovedRegistration {
  readonly space: string;
  readonly system: string | null;
  readonly request: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly by: string;
  readonly outcome: string;
}

/** Carries out an approved registration, or says why it cannot be any more. Idempotent: a request leads to one registration. */
export async function carryOutRegistration({ recorder }: AssuranceDeps, approved: ApprovedRegistration): Promise<{ readonly returned: string } | undefined> {
  const { space, system, request, by, outcome } = approved;
  if (system === null) return { returned: "a registration is for one system" };
  const detail = CiDetail.parse(approved.detail);
  const { value } = await recorder.commit<{ readonly returned: string } | undefined>(async (tx, time) => {
    if ((await ciRegistrationOfRequest(tx, space, request)) !== undefined) return { nothing: undefined };
    const against = await obstacle(tx, space, { system, detail });
    if (against !== undefined) return { nothing: { returned: against.message } };
    const body = { registration: newId("cig", time), system, ...detail, registeredBy: by, request, outcome };
    return { entry: { kind: "ci.registered", space, actor: by, system, subject: `system:${system}`, class: "governance", body }, value: undefined };
  });
  return value;
}

export interface Removal {
  readonly space: string;
  readonly system: string;
  readonly registration: string;
  readonly reason: string;
  readonly by: string;
}

/** Ends a registration at once, and with it the credentials exchanged under it. Nobody has to agree to less. */
export async function removeRegistration({ recorder }: AssuranceDeps, { space, system, registration, reason, by }: Removal): Promise<void> {
  await recorder.commit(async (tx) => {
    const there = await findCiRegistration(tx, space, registration);
    if (there === undefined || there.system !== system) throw new LicetError("not_found", { message: `\`${system}\` has no CI registration \`${registration}\`` });
    if (there.removed_at !== null) return { nothing: undefined };
    return { entry: { kind: "ci.removed", space, actor: by, system, subject: `system:${system}`, class: "governance", body: { registration, system, reason, removedBy: by } }, value: undefined };
  });
}

/** Newest first; `named` gives e-mail addresses by person id. */
export async function registrationViews(db: Reader, space: string, asked: { readonly system: string; readonly named: (id: string) => string }): Promise<CiRegistrationView[]> {
  const { system, named } = asked;
  const use = await ciUse(db, space, system);
  return (await listCiRegistrations(db, space, system)).map((row) => ({
    id: row.id,
    system: row.system,
    kind: row.kind,
    issuer: row.issuer,
    audience: row.audience,
    names: row.names,
    claims: [...row.claims],
    allowPrivate: row.allow_private === 1,
    registeredBy: named(row.registered_by),
    registeredAt: row.registered_at,
    request: row.request,
    outcome: row.outcome,
    removedBy: row.removed_by === null ? null : named(row.removed_by),
    removedAt: row.removed_at,
    removedBecause: row.removed_because,
    runs: use.get(row.id)?.runs ?? 0,
    lastRunAt: use.get(row.id)?.lastAt ?? null,
    entry: row.entry,
  }));
}
