import type { Clock } from "../base/clock.ts";
import type { openLog } from "../http/log.ts";
import { distrust } from "../policy/decide.ts";
import { mismatchDraft } from "../policy/mismatch.ts";
import { Sampler, type SamplingOptions } from "../policy/sampling.ts";
import { mismatchedBundles } from "../policy/store.ts";
import type { RecordKeeping } from "./record-keeping.ts";

export interface SamplingParts extends Pick<SamplingOptions, "share"> {
  readonly records: Pick<RecordKeeping, "database" | "recorder">;
  readonly clock: Clock;
  readonly log: Pick<ReturnType<typeof openLog>, "error">;
}

/** Has live decisions made again; a difference is logged, recorded, and outlives the process. */
export async function openSampling({ records, clock, log, ...rest }: SamplingParts): Promise<Sampler> {
  for (const digest of await mismatchedBundles(records.database.read)) distrust(digest);
  const onFailure = (error: unknown): void => log.error({ failure: error instanceof Error ? error.message : "unknown" }, "a sampled decision could not be judged");
  return new Sampler({
    ...rest,
    clock,
    onFailure,
    onMismatch(mismatch) {
      const { space, policyDigest, requestDigest } = mismatch;
      log.error({ space, policyDigest, requestDigest }, "a decision came out otherwise by cedar-wasm, which decides from now on");
      records.recorder.commit(async () => ({ entry: mismatchDraft(mismatch), value: undefined })).catch(onFailure);
    },
  });
}
