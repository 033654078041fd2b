import type { ErrorTable } from "./table.ts";

export const statementErrors = {
  statement_absent: {
    status: 404,
    what: "the entry holds no signed statement",
    why: "not every kind of entry is stated to third parties, and older entries were made before theirs was",
    fix: "ask for `--format tlog-proof`, which proves the entry itself, or for another entry",
  },
  statement_format_unfit: {
    status: 422,
    what: "the entry's statement cannot be given in this format",
    why: "svr and vsa follow from an authorization to operate, test-result from a check result, and nothing is made up for others",
    fix: "name an authorization, or ask for `--format dsse` or `--format sigstore`",
  },
  decisions_incomplete: {
    status: 409,
    what: "the log does not hold every number of this gateway in this range",
    why: "a statement of completeness over a gap would be false",
    fix: "choose a range that has ended; a number that is missing for longer means that a record was removed",
  },
  gateway_unknown: {
    status: 404,
    what: "the log holds no record of this gateway run",
    why: "each run of a gateway process has a name of its own",
    fix: "look for the name at a decision: `gateway` in its entry",
  },
  checkpoint_unusable: {
    status: 422,
    what: "the file is not a signed checkpoint of this log",
    why: "a proof between trees of which one is unsigned proves nothing",
    fix: "give a checkpoint as the log published it, and the trust file it belongs to with `--trust`",
  },
  usage_malformed: {
    status: 422,
    what: "the provider's usage export cannot be read",
    why: "a row that is misread would hide a call or invent one",
    fix: "correct the named line, or export again grouped by model",
  },
  usage_incomplete: {
    status: 422,
    what: "the provider's usage export is not whole",
    why: "a call on a page that is missing would not be compared",
    fix: "export every page, and give them as one JSON array or one CSV",
  },
  usage_period: {
    status: 422,
    what: "the period cannot be compared",
    why: "what is compared must be the same span of time on both sides, in UTC",
    fix: "give `--from` and `--to` at bounds of the export's buckets, at most 400 days apart",
  },
  usage_provider_unnamed: {
    status: 422,
    what: "the log holds calls of several providers in this period",
    why: "one provider's bill is compared with the calls to that provider",
    fix: "name the provider with `--provider`",
  },
} as const satisfies ErrorTable;
