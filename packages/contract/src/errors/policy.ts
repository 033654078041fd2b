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
  policy_golden: {
    status: 500,
    what: "a golden decision of the policy bundle comes out differently from when it was published",
    why: "policies that are evaluated in two ways decide nothing that anybody approved",
    fix: "report the bundle; until then start the version of Licet that published it",
  },
  policy_pack_rule: {
    status: 422,
    what: "a pack holds what packs of its kind may not hold",
    why: "a team may only tighten and an application may only speak of its own actions, whatever their policies say",
    fix: "move the policy into a pack of the right kind, or narrow its head as the message says",
  },
  policy_not_published: {
    status: 503,
    what: "no policy bundle is published in this space",
    why: "without policies nothing may be allowed",
    fix: "restart the server: it publishes its built-in bundle when the space has none",
  },
  policy_unknown: {
    status: 404,
    what: "there is no policy or pack of this name",
    why: "an answer about another policy would mislead",
    fix: "list all of them with `licet policy list`",
  },
  pack_unreadable: {
    status: 422,
    what: "the policy packs could not be read",
    why: "policies that cannot be read decide nothing",
    fix: "name the folder that holds `packs/`, or begin one with `licet policy new NAME`",
  },
  pack_malformed: {
    status: 422,
    what: "a file of a policy pack is not in its form",
    why: "a misspelt key would be a rule that nobody applies",
    fix: "correct the place that is named; `docs/policy.md` shows the form of every file",
  },
  pack_syntax: {
    status: 422,
    what: "a file of a policy pack is not plain YAML 1.2",
    why: "a file that two parsers read differently cannot be approved",
    fix: "correct the syntax; quoting the value in double quotes often helps",
  },
  pack_file_refused: {
    status: 422,
    what: "a file has no place in a policy pack",
    why: "what is reviewed must be exactly what is read, with nothing left out and nothing from elsewhere",
    fix: "remove or rename the file; a pack holds `pack.yaml`, `*.cedar`, one `*.cedarschema` and `tests/*.yaml`",
  },
  scenario_malformed: {
    status: 422,
    what: "a scenario does not describe a request",
    why: "a test that asks something else than it says proves nothing",
    fix: "correct the fixture or the path that is named",
  },
  scenario_failed: {
    status: 422,
    what: "a scenario came out differently from what it expects",
    why: "either the policies do not do what was meant, or the scenario no longer says what is meant",
    fix: "read the request with `licet policy test --filter NAME --json`, then correct the policy or the expectation",
  },
  policy_base_changed: {
    status: 409,
    what: "another bundle was published since this one was prepared",
    why: "what was reviewed is a change to the bundle that was active then",
    fix: "look at the change again with `licet policy publish --dry-run`, then publish",
  },
  policy_not_yours: {
    status: 403,
    what: "you may publish team packs only of systems whose technical owner you are",
    why: "a pack that tightens somebody else's system stops their calls",
    fix: "ask somebody who may publish policies, or leave the other systems out of the pack",
  },
  policy_pack_place: {
    status: 422,
    what: "a pack of this kind does not belong here",
    why: "builtin packs come with the installation only, and the organisation's baseline stands in the space `main`",
    fix: "publish the baseline in `main`; elsewhere use a team or application pack",
  },
  policy_unchanged: {
    status: 409,
    what: "the bundle would be the one that is active",
    why: "a publication that changes nothing needs nobody's approval",
    fix: "nothing is to be done",
  },
  backtest_candidate: {
    status: 422,
    what: "a backtest takes either packs or the digest of a published bundle",
    why: "exactly one candidate is compared with what was decided",
    fix: "give packs, or a digest from `licet policy history`",
  },
  backtest_ended: {
    status: 409,
    what: "the backtest has ended already",
    why: "only one that waits or runs can be stopped",
    fix: "nothing is to be done",
  },
  backtest_busy: {
    status: 429,
    what: "too many backtests wait in this space",
    why: "each reads the log from end to end",
    fix: "wait until one has ended, or cancel one with `licet policy backtests --cancel ID`",
  },
  explain_question: {
    status: 422,
    what: "an explanation needs exactly one question",
    why: "a request, a recorded decision and the gate's question are three different things",
    fix: "give a request, or the id of a decision, or a system with `to`",
  },
} as const satisfies ErrorTable;
