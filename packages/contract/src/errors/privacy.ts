import type { ErrorTable } from "./table.ts";

/** Refusals around content recording, retention and erasure. */
export const privacyErrors = {
  erasure_nothing: {
    status: 409,
    what: "there is nothing to erase",
    why: "no living key seals anything of this subject, class and time, so an erasure would record something that did not happen",
    fix: "check the id and the date with `--dry-run`; `licet erasures` lists what was erased before",
  },
  erasure_target: {
    status: 422,
    what: "an erasure names exactly one of a person, an end user and a system with its class",
    why: "what is destroyed cannot be brought back, so nothing about it is guessed",
    fix: "give one of `--person ID`, `--user END_USER_ID` and `--system NAME --class runtime|content`",
  },
} as const satisfies ErrorTable;
