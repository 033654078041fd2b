import { z } from "zod";
import { KeyRotationPredicate } from "../predicates/key-rotation.ts";
import { Envelope } from "../vocabulary.ts";

/** Entry `key.rotated`, version 1: another key takes over a role. The statement says the same, signed by the statement keys. */
export const KeyRotated = KeyRotationPredicate.extend({ statement: Envelope });
export type KeyRotated = z.output<typeof KeyRotated>;
