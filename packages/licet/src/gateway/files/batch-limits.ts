import type { Admission } from "../admission.ts";
import { refuse, type Refusal } from "../refusal.ts";

/** A batch spends for a day what nobody settles meanwhile: where a limit holds, its calls are sent one by one. */
export function batchLimits({ credential }: Admission): Refusal | undefined {
  return credential.deployment.budgets === undefined ? undefined : refuse("batch_limited");
}
