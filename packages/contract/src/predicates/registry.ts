import type { z } from "zod";
import { CheckResultPredicate } from "../entries/assurance.ts";
import { AtoPredicate } from "../entries/ato.ts";
import { AnswerPredicate } from "../entries/risk.ts";
import { ApprovalPredicate } from "./approval.ts";
import { CredentialEventPredicate } from "./credential-event.ts";
import { DecisionBatchPredicate } from "./decision-batch.ts";
import { ErasurePredicate } from "./erasure.ts";
import { HoldPredicate } from "./hold.ts";
import { IncidentPredicate } from "./incident.ts";
import { KeyRotationPredicate } from "./key-rotation.ts";
import { PolicyPublicationPredicate } from "./policy-publication.ts";
import { WaiverPredicate } from "./waiver.ts";

export interface PublishedPredicate {
  readonly schema: z.ZodType;
  /** One sentence for whoever meets the schema alone. */
  readonly what: string;
  /** False while nothing in this version makes such a statement. */
  readonly produced: boolean;
}

/** Every predicate of our own by its name; the type is `https://licet.dev/predicate/<name>/v1`, and docs/schemas holds its JSON Schema. */
export const predicates = {
  answer: { schema: AnswerPredicate, what: "a judgement on a system's risk that only a person may make", produced: true },
  approval: { schema: ApprovalPredicate, what: "a person's answer to a request for a gate move", produced: true },
  "authorization-to-operate": { schema: AtoPredicate, what: "a release may carry traffic at a stage in an environment, until a time", produced: true },
  "check-result": { schema: CheckResultPredicate, what: "one test of an assessment with everything its verdict was derived from", produced: true },
  "credential-event": { schema: CredentialEventPredicate, what: "a deployment's credential was issued or revoked", produced: true },
  "decision-batch": { schema: DecisionBatchPredicate, what: "the numbered records of one gateway run, complete from one number to another", produced: true },
  erasure: { schema: ErasurePredicate, what: "keys were destroyed, and with them what they sealed", produced: true },
  hold: { schema: HoldPredicate, what: "traffic was stopped, or a stop was ended", produced: true },
  incident: { schema: IncidentPredicate, what: "something went wrong, and how it was handled", produced: false },
  "key-rotation": { schema: KeyRotationPredicate, what: "another key takes over a role", produced: true },
  "policy-publication": { schema: PolicyPublicationPredicate, what: "a space decides by another policy bundle from now on", produced: true },
  waiver: { schema: WaiverPredicate, what: "a deviation is accepted for a time, or was ended before it was over", produced: true },
} as const satisfies Readonly<Record<string, PublishedPredicate>>;

export type PredicateName = keyof typeof predicates;
