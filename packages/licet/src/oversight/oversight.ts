import type { LoggedEntry, Recorder } from "../ledger/recorder.ts";
import type { Judge } from "./judge.ts";
import { isOtherMove, judgeMove, openMove, settleMove, type Effects, type MoveOptions, type OtherMove } from "./moves.ts";
import { findRequest, openRequests, spacesWithOpenRequests, type Reader, type StoredRequest } from "./store.ts";

/** What the gate does with promotions; `ato` implements it. */
export interface Promotions {
  readonly judge: Judge;
  /** Grants when the gate allows; safe to call at any time and again. */
  settle(space: string, request: string): Promise<void>;
}

export interface OversightOptions {
  readonly read: Reader;
  readonly recorder: Recorder;
  readonly promotions: Promotions;
  readonly effects: Effects;
  /** Told of a request that could not be settled in the background; the others go on. */
  readonly onFailure: (error: unknown) => void;
}

export interface Oversight {
  readonly judge: Judge;
  readonly moves: MoveOptions;
  /** Opens another gate move than a promotion; carried out at once by a sole operator. Answers the request's id. */
  ask(opening: { readonly space: string; readonly move: OtherMove; readonly system: string | null; readonly detail: StoredRequest["detail"]; readonly by: string }): Promise<string>;
  settle(space: string, request: string): Promise<void>;
  /** Settles every open request: run at start, because a crash may stand between a request and its grant. */
  reconcile(): Promise<void>;
  /** Reconciles after every entry that can meet a requirement. Answers how to stop; stopping waits for the running pass. */
  watch(): () => Promise<void>;
}

/** Entries after which a waiting request may be ready. */
const wakingKinds: readonly string[] = ["request.opened", "approval.given", "check.recorded", "check.repeated", "answer.given", "provider.registered", "hold.lifted", "ato.granted", "role.granted", "policy.published"];

export function createOversight(options: OversightOptions): Oversight {
  const { read, recorder, promotions, effects } = options;
  const moves: MoveOptions = { read, recorder, effects };
  /** Owned by `inTurn`: effects must not run twice side by side. */
  let turn: Promise<void> = Promise.resolve();

  function inTurn(work: () => Promise<void>): Promise<void> {
    const next = turn.then(work);
    turn = next.catch(() => undefined);
    return next;
  }

  async function settleOne(space: string, id: string): Promise<void> {
    const request = await findRequest(read, space, id);
    if (request?.status !== "open") return;
    if (isOtherMove(request.move)) await settleMove(moves, space, id);
    else await promotions.settle(space, id);
  }

  async function pass(): Promise<void> {
    for (const space of await spacesWithOpenRequests(read)) {
      for (const request of await openRequests(read, space)) await settleOne(space, request.id).catch(options.onFailure);
    }
  }

  const settle = (space: string, id: string): Promise<void> => inTurn(() => settleOne(space, id));
  const reconcile = (): Promise<void> => inTurn(pass);
  return {
    moves,
    judge: (db, request, now) => {
      const { move } = request;
      return isOtherMove(move) ? judgeMove(db, { ...request, move }, now) : promotions.judge(db, request, now);
    },
    ask: async (opening) => {
      const id = await opened(moves, opening, inTurn);
      return id;
    },
    settle,
    reconcile,
    watch: () => watching({ recorder, reconcile, onFailure: options.onFailure, idle: () => turn }),
  };
}

async function opened(moves: MoveOptions, opening: Parameters<Oversight["ask"]>[0], inTurn: (work: () => Promise<void>) => Promise<void>): Promise<string> {
  let id = "";
  await inTurn(async () => {
    id = await openMove(moves, opening);
  });
  return id;
}

interface Watching {
  readonly recorder: Recorder;
  readonly reconcile: () => Promise<void>;
  readonly onFailure: (error: unknown) => void;
  readonly idle: () => Promise<void>;
}

function watching({ recorder, reconcile, onFailure, idle }: Watching): () => Promise<void> {
  let waiting = false;
  const wake = (entry: LoggedEntry): void => {
    if (waiting || !wakingKinds.includes(entry.kind)) return;
    waiting = true;
    // One pass answers all the entries that came meanwhile.
    setImmediate(() => {
      waiting = false;
      reconcile().catch(onFailure);
    });
  };
  const forget = recorder.onCommitted(wake);
  return async () => {
    forget();
    await idle();
  };
}
