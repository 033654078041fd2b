/** Why a check could not be decided, in words; by `reason` of a result. */
export const reasonWords: Readonly<Record<string, string>> = {
  too_few: "too few cases for a verdict",
  unassessed_budget: "too many cases without an answer",
  undefined_denominator: "a rate has no cases to be taken over",
  degenerate: "the data show no variation to judge by",
  no_figure: "no finite number came out",
  inconsistent_import: "the imported figures contradict each other",
  stale_subject: "what was tested changed during the test",
  tool_error: "the tool could not measure it",
  aborted: "the run was broken off",
  unanswered: "what was tested gave no answer",
  weights_unseen: "it takes the model's weights, and only its answers are seen",
  operator_unknown: "the model uses an operator that is not implemented here",
  interpreters_differ: "two interpreters give different scores for the same rows",
  advisory: "it says what to look at and decides nothing",
};
