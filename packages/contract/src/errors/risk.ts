import type { ErrorTable } from "./table.ts";

export const riskErrors = {
  risk_question_unknown: {
    status: 422,
    what: "there is no such question in the risk questionnaire",
    why: "an answer to nothing cannot count",
    fix: "take the id from the system's page or from `licet validate`, for example `D5`",
  },
  not_risk_owner: {
    status: 403,
    what: "only the declared risk owner may answer this",
    why: "the answer lowers what the law demands, and one person answers for it",
    fix: "ask the risk owner named in the manifest to sign in and answer",
  },
  answer_by_author: {
    status: 403,
    what: "an author of the release may not answer this",
    why: "who made the change would lower what is demanded of it",
    fix: "name another risk owner in the manifest, or have somebody else push the release",
  },
} as const satisfies ErrorTable;
