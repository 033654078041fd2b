import type { ErrorTable } from "./table.ts";

/** Failures while reading and compiling policies. A policy that denies is a decision, not a failure. */
export const policyErrors = {
  policy_invalid: {
    status: 422,
    what: "the policies do not pass strict validation against their schema",
    why: "a policy that cannot be proven free of type errors could be skipped when it matters",
    fix: "correct the policy that is named; look before every optional attribute with `has`",
  },
  policy_too_deep: {
    status: 422,
    what: "the policy text is larger or nests deeper than the parser can bear",
    why: "a parser that overflows would take every decision down with it",
    fix: "split the policy, or flatten its conditions",
  },
  policy_annotation: {
    status: 422,
    what: "a policy lacks an annotation that people need to act on it",
    why: "a refusal that names no remedy and no turn leaves everybody waiting",
    fix: "give every policy a unique @id, and every requirement @requirement, @remedy and @turn",
  },
  policy_files_missing: {
    status: 500,
    what: "the policy files that belong to this installation are not there",
    why: "without policies nothing may be allowed",
    fix: "reinstall Licet: `policies/` belongs beside `package.json` of the package `licet`",
  },
  policy_bundle_changed: {
    status: 500,
    what: "the policy bundle in the record does not have the digest under which it was published",
    why: "a decision must be made by exactly the policies that were published",
    fix: "rebuild the record from the log: `licet db rebuild`",
  },
  policy_not_published: {
    status: 503,
    what: "no policy bundle is published in this space",
    why: "without policies nothing may be allowed",
    fix: "restart the server: it publishes its built-in bundle when the space has none",
  },
} as const satisfies ErrorTable;
