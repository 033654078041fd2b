import { liftsStanding } from "./observe-mode.ts";
import { refuse, type Refusal } from "./refusal.ts";
import type { CredentialView, SnapshotSource } from "./snapshot.ts";
import { standingRefusal, vendorRefusal } from "./standing.ts";

/** One call between its decision and its outcome. */
export interface Flight {
  readonly credential: CredentialView;
  /** To whom it goes. */
  readonly vendor?: string | undefined;
  /** Ends it with this refusal; called once at most. */
  cut(refusal: Refusal): void;
}

/** An absent part stands for all: no system for the whole space, no space for everything. */
export interface CutScope {
  readonly space?: string;
  readonly system?: string;
}

export interface Inflight {
  /** False when the gateway carries as many calls as it may. */
  add(flight: Flight): boolean;
  remove(flight: Flight): void;
  /** Ends what a hold was just placed on, at once; answers how many. */
  cut(scope: CutScope, refusal?: Refusal): number;
  /** Why this call may not be sent now, by the present snapshot. */
  fallen(flight: Flight, now: number): Refusal | undefined;
  /** Ends every call whose deployment may no longer carry traffic by the present snapshot. */
  sweep(now: number): void;
  readonly size: number;
}

/**
 * INVARIANT: a call in flight outlives its standing by one sweep at most, also when nobody calls `cut`: a hold, a
 * suspended ATO or a revoked credential reaches streams through the snapshot alone.
 */
export function inflightCalls(snapshots: SnapshotSource, callsMax: number): Inflight {
  const flights = new Set<Flight>();
  /** Sweeps in a row without a snapshot. One may be a pause of this process; two are a lost feed. */
  let stale = 0;
  const end = (flight: Flight, refusal: Refusal) => {
    flights.delete(flight);
    flight.cut(refusal);
  };
  return {
    add: (flight) => {
      const room = flights.size < callsMax;
      if (room) {
        flights.add(flight);
      }
      return room;
    },
    remove: (flight) => {
      flights.delete(flight);
    },
    cut: ({ space, system }, refusal = refuse("held")) => {
      const hit = [...flights].filter(({ credential }) => {
        const { deployment } = credential;
        return (space ?? credential.space) === credential.space && (system ?? deployment.system) === deployment.system;
      });
      for (const flight of hit) {
        end(flight, refusal);
      }
      return hit.length;
    },
    fallen: (flight, now) => {
      const snapshot = snapshots.current();
      return snapshot === undefined ? refuse("snapshot_stale") : fallen(flight, { snapshot, now });
    },
    sweep: (now) => {
      const snapshot = snapshots.current();
      stale = snapshot === undefined ? stale + 1 : 0;
      for (const flight of flights) {
        const refusal =
          snapshot === undefined ? lost(stale) : fallen(flight, { snapshot, now });
        if (refusal !== undefined) {
          end(flight, refusal);
        }
      }
    },
    get size() {
      return flights.size;
    },
  };
}

function lost(stale: number): Refusal | undefined {
  return stale >= 2 ? refuse("snapshot_stale") : undefined;
}

function fallen({ credential: { digest }, vendor }: Flight, at: { readonly snapshot: NonNullable<ReturnType<SnapshotSource["current"]>>; readonly now: number }) {
  const credential = at.snapshot.byCredentialDigest.get(digest);
  if (credential === undefined || credential.revokedAt !== null || at.now >= credential.expiresAt) {
    return refuse("credential_invalid");
  }
  const refusal = standingRefusal({ snapshot: at.snapshot, credential, now: at.now });
  const stands = refusal === undefined || liftsStanding(refusal, credential.deployment, at.now);
  return stands ? vendorRefusal({ snapshot: at.snapshot, credential }, vendor) : refusal;
}
