import { manifestSchema } from "../inventory/schema-words.ts";
import { exitCodes, type ExitCode } from "./failure.ts";

/** Prints the manifest's JSON Schema (draft 2020-12), for completion in editors. */
export function runSchema({ stdout }: { readonly stdout: (text: string) => void }): ExitCode {
  stdout(JSON.stringify(manifestSchema(), null, 2));
  return exitCodes.fine;
}
