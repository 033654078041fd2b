import type { CheckResult } from "../assurance.ts";

/** What was seen of a model behind an endpoint, in words. */
export function servedWords({ url, model, version, weights }: NonNullable<CheckResult["subject"]["served"]>): string {
  const seen = weights === "attested" ? "the server names the declared weights" : "the weights are not seen";
  return `${model} at ${url}, ${version === null ? "which names no version" : `version ${version}`}; ${seen}`;
}
