import { ErasureAsked, LicetError, type ErasureTarget, type RequestView, type RouteAnswer } from "@licet/contract";
import type { Handlers } from "../http/handlers.ts";
import { emailsOf, type StoredRequest } from "../oversight/store.ts";
import { assertErasable, endUserSubject, type ErasureDeps } from "./erase.ts";
import { dueTime } from "./retention.ts";
import { countEntries, findPrivacy, listErasures, type Reader, type StoredErasure } from "./store.ts";

export interface PrivacyMoves {
  /** Opens the gate move; `detail` names no person. */
  open(opening: { readonly space: string; readonly move: "set-privacy" | "erase"; readonly system: string | null; readonly detail: StoredRequest["detail"]; readonly by: string }): Promise<{ readonly done: boolean; readonly request: RequestView }>;
}

export interface PrivacyRoutes {
  readonly deps: ErasureDeps;
  readonly moves: PrivacyMoves;
}

type PrivacyHandlers = Pick<Handlers, "showPrivacy" | "setPrivacy" | "previewErasure" | "requestErasure" | "listErasures">;

export function privacyRoutes({ deps, moves }: PrivacyRoutes): PrivacyHandlers {
  const { database, keyring, recorder } = deps;
  const { read } = database;
  return {
    showPrivacy: async ({ params }) => shownPrivacy(deps, params.space),
    setPrivacy: async ({ params, body }, caller) => moves.open({ space: params.space, move: "set-privacy", system: null, detail: body, by: caller.personId }),
    previewErasure: async ({ params, body }) => {
      const target = await targetOf(deps, params.space, body);
      const keys = await assertErasable(deps, params.space, target);
      await recorder.settle();
      return { target, keys: keys.length, entries: await countEntries(read, params.space, keys) };
    },
    requestErasure: async ({ params, body }, caller) => {
      const { basis, ...asked } = body;
      const target = await targetOf({ keyring }, params.space, asked);
      await assertErasable(deps, params.space, target);
      return moves.open({ space: params.space, move: "erase", system: target.kind === "system" ? target.system : null, detail: { target, basis }, by: caller.personId });
    },
    listErasures: async ({ params, query }) => {
      const rows = await listErasures(read, params.space, { before: query.cursor, limit: query.limit + 1 });
      const page = rows.slice(0, query.limit);
      return { items: await views(read, params.space, page), next: rows.length > query.limit ? (page.at(-1)?.id ?? null) : null };
    },
  };
}

/** Exactly one of person, user and system: nothing is guessed about what cannot be brought back. */
async function targetOf({ keyring }: Pick<ErasureDeps, "keyring">, space: string, asked: ErasureAsked): Promise<ErasureTarget> {
  const { person, user, system, class: retention, before = null } = asked;
  const wrong = new LicetError("erasure_target");
  if ([person, user, system].filter((each) => each !== undefined).length !== 1) throw wrong;
  if (system !== undefined) {
    if (retention === undefined) throw wrong;
    return { kind: "system", system, class: retention, before };
  }
  if (retention !== undefined) throw wrong;
  if (user !== undefined) return { kind: "user", subject: await endUserSubject(keyring, space, user), before };
  if (person === undefined || before !== null) throw wrong;
  return { kind: "person", person };
}

async function shownPrivacy({ database, keyring }: ErasureDeps, space: string): Promise<RouteAnswer<"showPrivacy">> {
  const { setBy, ...settings } = await findPrivacy(database.read, space);
  const names = await emailsOf(database.read, space, setBy === null ? [] : [setBy]);
  const { governance, runtime, content } = keyring.statistics(space);
  return {
    ...settings,
    setBy: setBy === null ? null : (names.get(setBy) ?? setBy),
    keys: { governance: counts(governance), runtime: counts(runtime), content: counts(content) },
    nextDue: { runtime: dueTime(runtime.firstEnd, settings.retentionDays.runtime), content: dueTime(content.firstEnd, settings.retentionDays.content) },
  };
}

function counts({ living, destroyed, oldest }: RouteAnswer<"showPrivacy">["keys"]["content"]): RouteAnswer<"showPrivacy">["keys"]["content"] {
  return { living, destroyed, oldest };
}

async function views(read: Reader, space: string, erasures: readonly StoredErasure[]): Promise<RouteAnswer<"listErasures">["items"]> {
  const names = await emailsOf(read, space, erasures.map(({ body }) => body.requestedBy));
  return erasures.map(({ id, state, body, intendedAt, doneAt, entry }) => ({
    id,
    occasion: body.occasion,
    state,
    target: body.target,
    basis: body.basis,
    keys: body.counts.keys,
    entries: body.counts.entries,
    requestedBy: names.get(body.requestedBy) ?? body.requestedBy,
    request: body.request,
    intendedAt,
    doneAt,
    entry,
  }));
}
