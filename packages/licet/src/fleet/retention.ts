import { defaultPrivacy, type RetentionDays } from "@licet/contract";
import type { Clock } from "../base/clock.ts";
import type { Keyring } from "../ledger/keyring.ts";

const hourMs = 3_600_000;
const dayMs = 86_400_000;

export interface GatewayRetention {
  /** The space's settings, as the newest standing says. */
  set(days: RetentionDays | undefined): void;
  stop(): void;
}

/**
 * A gateway keeps what it recorded no longer than the space allows, counted as the control plane does it: from the end of a
 * month. Words go with the end of their month, because the control plane has its own copy, which erasures find.
 */
export function startGatewayRetention(options: { readonly keyring: Keyring; readonly clock: Clock; readonly space: string; readonly onFailure: (error: unknown) => void }): GatewayRetention {
  const { keyring, clock, space, onFailure } = options;
  let days = defaultPrivacy.retentionDays;
  const apply = async (): Promise<void> => {
    const now = clock.now();
    const kids = [...keyring.ended(space, "runtime", now - days.runtime * dayMs), ...keyring.ended(space, "content", now - Math.min(days.content, 1) * dayMs)];
    if (kids.length > 0) await keyring.destroy(kids);
  };
  const guarded = (): void => void apply().catch(onFailure);
  guarded();
  const timer = setInterval(guarded, hourMs).unref();
  return {
    set(next = defaultPrivacy.retentionDays) {
      days = next;
    },
    stop: () => clearInterval(timer),
  };
}
