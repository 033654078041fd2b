import type { SignerKey } from "@licet/evidence";
import type { Clock } from "../base/clock.ts";
import type { SnapshotHolder } from "../gateway/snapshot.ts";
import { StandingViews } from "../gateway/standing-views.ts";
import { standingVersion, standingRows, type Reader } from "../gateway/store.ts";
import type { Recorder } from "../ledger/recorder.ts";
import type { Sampler } from "../policy/sampling.ts";
import { ApplicationViews } from "../pdp/views.ts";

/** A quarter of the lease: three heartbeats may be late before traffic stops. */
const heartbeatMs = 250;

export interface FeedOptions {
  readonly clock: Clock;
  readonly read: Reader;
  readonly recorder: Recorder;
  readonly snapshots: SnapshotHolder;
  /** Whose signature makes an authorization to operate. */
  readonly statementKeys: readonly SignerKey[];
  /** Has a share of the decisions made again. */
  readonly sampler?: Sampler | undefined;
  /** Told what kept the snapshot from being renewed; traffic stops by itself when the lease ends. */
  readonly onFailure: (error: unknown) => void;
}

export interface Feed {
  /** Builds and publishes now; resolves when the gateway sees it. */
  refresh(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * The change feed of the gateway in this process: every commit builds a new snapshot, a heartbeat renews its lease.
 * INVARIANT: the lease is renewed only after the database has answered, so a lost database stops traffic in a second.
 */
export async function startFeed(options: FeedOptions): Promise<Feed> {
  const views = new StandingViews(options.statementKeys, options.sampler);
  const applications = new ApplicationViews(options.sampler);
  let running: Promise<void> | undefined;
  let again = false;

  const build = async (): Promise<void> => {
    while (again) {
      again = false;
      const readAt = options.clock.now();
      const standing = await views.build(await standingRows(options.read));
      options.snapshots.publish({ ...standing, ...(await applications.build(options.read, readAt)) }, readAt);
    }
  };
  const refresh = (): Promise<void> => {
    again = true;
    running ??= build().finally(() => {
      running = undefined;
    });
    return running;
  };
  const beat = async (): Promise<void> => {
    const readAt = options.clock.now();
    const version = await standingVersion(options.read);
    if (!options.snapshots.renew(version, readAt)) await refresh();
  };
  const guarded = (work: () => Promise<void>) => (): void => {
    work().catch(options.onFailure);
  };
  await refresh();
  const timer = setInterval(guarded(beat), heartbeatMs);
  const forget = options.recorder.onCommitted((entry) => {
    if (entry.class === "governance") guarded(refresh)();
  });
  return {
    refresh,
    async stop() {
      clearInterval(timer);
      forget();
      await running?.catch(options.onFailure);
    },
  };
}
