import { Digest, errorInfo, LicetError, type PackView, type PolicyFinding, type PolicyView, type PublicationRow } from "@licet/contract";
import { isRecord, parseJson } from "@licet/evidence";
import { z } from "zod";
import type { Bundle, BundlePack } from "./bundle-form.ts";
import type { Composed } from "./compose.ts";
import { findingText } from "./lint-form.ts";
import { approvalsById, emailsOf, type GivenApproval, type Reader } from "./store.ts";

export function packViews(bundle: Bundle, own: ReadonlySet<string>): readonly PackView[] {
  return bundle.packs.map((pack) => packView(bundle, pack, originOf(pack, own)));
}

function originOf({ name, kind }: BundlePack, own: ReadonlySet<string>): PackView["origin"] {
  if (kind === "builtin") return "installation";
  return own.has(name) ? "space" : "main";
}

function packView(bundle: Bundle, pack: BundlePack, origin: PackView["origin"]): PackView {
  const policies = bundle.policies.filter((policy) => policy.pack === pack.name);
  const ofMode = (mode: string): number => policies.filter((policy) => policy.mode === mode).length;
  const { name, title, description, kind, topic = null, systems = [], digest, covered, scenarios } = pack;
  return { name, title, description, kind, origin, topic, systems: [...systems], digest, policies: policies.length, covered: covered.length, scenarios, modes: { enforce: ofMode("enforce"), warn: ofMode("warn"), shadow: ofMode("shadow") } };
}

export function policyViews(bundle: Bundle, pack?: string): readonly PolicyView[] {
  const covered = new Set(bundle.packs.flatMap((each) => each.covered));
  return bundle.policies
    .filter((policy) => pack === undefined || policy.pack === pack)
    .map(({ id, pack: of, effect, mode, text, annotations }) => ({ id, pack: of, effect, mode, text, annotations: { ...annotations }, covered: covered.has(id) }));
}

/** What does not stand in the way. */
export function warningViews(warnings: Composed["warnings"]): readonly PolicyFinding[] {
  return warnings.slice(0, findingsMax).map((each) => ({ severity: "warning", code: each.rule, message: findingText(each), fix: each.fix, pack: each.pack, policy: each.policy }));
}

/** What the compiler says, finding by finding; a failure without findings is one. */
export function findingsOf(error: LicetError): readonly PolicyFinding[] {
  const listed = Array.isArray(error.at["findings"]) ? error.at["findings"].filter(isRecord).slice(0, findingsMax) : [];
  const found: readonly Readonly<Record<string, unknown>>[] = listed.length > 0 ? listed : [{}];
  return found.map((each) => finding(each, error));
}

const findingsMax = 500;

function finding(each: Readonly<Record<string, unknown>>, error: LicetError): PolicyFinding {
  const text = (name: string): string | null => (typeof each[name] === "string" && each[name] !== "" ? each[name] : null);
  return {
    severity: each["severity"] === "warning" ? "warning" : "error",
    code: error.code,
    message: text("message") ?? text("why") ?? error.message,
    fix: text("fix") ?? errorInfo(error.code).fix,
    pack: text("pack"),
    policy: text("policy"),
  };
}

const Approvals = z.array(z.string());
const Packs = z.array(z.strictObject({ name: z.string(), kind: z.enum(["builtin", "baseline", "team", "application"]), digest: z.string() }));
const Changed = z.strictObject({ added: z.int(), changed: z.int(), removed: z.int() });
const Occasion = z.enum(["request", "installation", "baseline"]);

interface Named {
  readonly names: ReadonlyMap<string, string>;
  readonly approvals: ReadonlyMap<string, GivenApproval>;
  readonly active: string | undefined;
}

interface StoredPublication {
  readonly id: string;
  readonly digest: string;
  readonly previous: string | null;
  readonly occasion: string;
  readonly request: string | null;
  readonly outcome: string;
  readonly approvals: string;
  readonly composed: string;
  readonly changed: string;
  readonly comment: string;
  readonly published_by: string;
  readonly published_at: number;
  readonly entry: string;
}

function publicationRow(row: StoredPublication, { names, approvals, active }: Named): PublicationRow {
  const named = (id: string): string => names.get(id) ?? id;
  const given = Approvals.parse(parseJson(row.approvals)).flatMap((id) => approvals.get(id) ?? []);
  return {
    id: row.id,
    digest: Digest.parse(row.digest),
    previous: row.previous,
    active: row.id === active,
    occasion: Occasion.parse(row.occasion),
    publishedBy: named(row.published_by),
    publishedAt: row.published_at,
    comment: row.comment,
    request: row.request,
    outcome: row.outcome,
    approvals: given.map(({ id, person, role, method, given_at }) => ({ id, person: named(person), role, method, at: given_at })),
    packs: Packs.parse(parseJson(row.composed)),
    changed: Changed.parse(parseJson(row.changed)),
    entry: row.entry,
  };
}

/** `active` is the id of the space's newest publication. */
export async function publicationRows(db: Reader, space: string, { rows, active }: { readonly rows: readonly StoredPublication[]; readonly active: string | undefined }): Promise<PublicationRow[]> {
  const given = await approvalsById(db, space, rows.flatMap((row) => Approvals.parse(parseJson(row.approvals))));
  const names = await emailsOf(db, space, [...rows.map((row) => row.published_by), ...given.map(({ person }) => person)]);
  const approvals = new Map(given.map((each) => [each.id, each]));
  return rows.map((row) => publicationRow(row, { names, approvals, active }));
}
