import type { PipelineParts } from "../admission.ts";
import { answerCheck } from "../external-check.ts";
import type { RelayEnd } from "../relay.ts";
import type { Operation } from "./operation.ts";

/** An answer after external detectors have looked at its words, where there are any that do. */
export async function checked({ external: lines }: PipelineParts, { admission, scan }: Operation, end: RelayEnd): Promise<RelayEnd> {
  const check = answerCheck({ lines, rules: scan.rules }, admission.credential.deployment.boundary.classes);
  if (check === undefined || end.refusal !== undefined || end.body === undefined) return end;
  const found = new Map(end.counting.found);
  const refusal = await check([end.body], found);
  const counting = { ...end.counting, found };
  const { body: _, said: _said, ...rest } = end;
  return refusal === undefined ? { ...end, counting } : { ...rest, counting, refusal, abortedBy: "boundary" };
}
