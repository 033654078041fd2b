import type { CheckResult } from "../assurance.ts";

/** What another interpreter made of a model's file, in words. */
export function interpreterWords({ name, version, part, rows, deviation, why = "for no stated reason" }: NonNullable<CheckResult["subject"]["interpreter"]>): string {
  if (part === "scored") return `scored by ${name} ${version}: our interpreter lacks the operator \`${why}\``;
  if (part === "silent") return `${name} ${version} could not run the model beside our interpreter: ${why}`;
  return deviation === null ? `${name} ${version} and our interpreter do not agree on what is a number` : `compared with ${name} ${version} on ${rows} rows: largest difference ${deviation}`;
}
