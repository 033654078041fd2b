import type { ErrorTable } from "./table.ts";

/** Failures while reading tables and models, and while running checks on them. */
export const assuranceErrors = {
  table_malformed: {
    status: 422,
    what: "the table is not well-formed CSV",
    why: "a row read with shifted columns would give figures about something else",
    fix: "write the file again as RFC 4180 CSV in UTF-8 with one header row; line and column are named",
  },
  table_too_large: {
    status: 413,
    what: "the table is larger than a check may read",
    why: "an unbounded file would take the machine down before any verdict",
    fix: "give the check a smaller file, or raise the bound where the suite is run",
  },
  table_column_missing: {
    status: 422,
    what: "the table has no such column",
    why: "a check on a column that is not there says nothing",
    fix: "correct the column name in the assurance section, or the header of the file",
  },
  table_value_invalid: {
    status: 422,
    what: "a value in the table is not of the type that the check needs",
    why: "guessing a number for text would make a figure out of nothing",
    fix: "correct the value, or name the feature columns in the check; row and column are named",
  },
  model_malformed: {
    status: 422,
    what: "the model file is not a well-formed ONNX model",
    why: "a model that can only be read in part must not be scored",
    fix: "export the model again, and compare its digest with the declared one",
  },
  model_too_large: {
    status: 413,
    what: "the model is larger than a check may load",
    why: "an unbounded model would take the machine down before any verdict",
    fix: "export a smaller model, or raise the bound where the suite is run",
  },
  model_unsupported: {
    status: 422,
    what: "the model uses something that this engine does not implement",
    why: "an approximation of an unknown operator would be another model",
    fix: "export the model with the operators listed in docs, or import results from another tool",
  },
  model_input_mismatch: {
    status: 422,
    what: "the table does not fit the model's input",
    why: "scores computed from the wrong columns look like scores",
    fix: "name the feature columns in the model's order under `features` in the check",
  },
  model_output_unclear: {
    status: 422,
    what: "the model's output cannot be read as scores of the positive class",
    why: "a score taken from the wrong output turns every verdict around",
    fix: "export a model with one score or one column per class, and check `positive`",
  },
  component_undeclared: {
    status: 422,
    what: "the check names a component that is not declared",
    why: "only declared files with a digest can be evidence",
    fix: "declare the component with its file and digest, or correct the name in the check",
  },
  component_file_missing: {
    status: 422,
    what: "the file of a component is not there",
    why: "a check without its file has no evidence, and no evidence is never a pass",
    fix: "put the file where the manifest says, or correct its path",
  },
  component_file_outside: {
    status: 422,
    what: "the file of a component lies outside the system's folder",
    why: "a manifest must not make a check read other files of this machine",
    fix: "copy the file into the folder of the manifest and declare that path",
  },
  component_digest_mismatch: {
    status: 409,
    what: "the file of a component is not the declared one",
    why: "a verdict about other bytes says nothing about this release",
    fix: "restore the declared file, or declare the new digest as a new release",
  },
  ticket_unknown: {
    status: 404,
    what: "there is no such ticket",
    why: "only a run that began with a ticket can be evidence",
    fix: "run `licet check` again: it takes a new ticket",
  },
  ticket_spent: {
    status: 409,
    what: "the ticket cannot take this result",
    why: "a ticket is one attempt: what comes late, twice or for another check is not part of it",
    fix: "run `licet check` again: it takes a new ticket",
  },
  check_undeclared: {
    status: 422,
    what: "the release does not declare this check",
    why: "results count for what the release declares, not for what was easy to run",
    fix: "declare the check in the manifest's assurance section and push",
  },
  result_inconsistent: {
    status: 422,
    what: "the result does not follow from its own counts, or is about something else",
    why: "a verdict that cannot be derived again is a claim, not evidence",
    fix: "run `licet check` with this version of Licet, without editing its results",
  },
  file_digest_mismatch: {
    status: 422,
    what: "the bytes are not those of the digest",
    why: "files are kept by their content",
    fix: "send the file again under its own SHA-256",
  },
  file_undeclared: {
    status: 422,
    what: "no release in this space declares this file",
    why: "the server keeps only what its own runner needs, so that nobody fills its disk",
    fix: "push the release that declares the file, then run `licet check --on-server` again",
  },
  file_not_held: {
    status: 409,
    what: "the server does not hold a file that its runner needs",
    why: "the server's own runner works only on the declared bytes",
    fix: "run `licet check --on-server`, which sends the files first",
  },
  runner_failed: {
    status: 500,
    what: "the server's own runner ended without a report",
    why: "a run without a report is an aborted attempt, never a pass",
    fix: "look for the reason in the server's log, and run the checks again",
  },
} as const satisfies ErrorTable;
