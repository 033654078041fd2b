import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseJson } from "@licet/evidence";

const program = fileURLToPath(new URL("../../../../../shared/evidence/verify_tlog.py", import.meta.url));
const python = "/usr/bin/python3";

/** An independent verifier of logs lies beside the repository on some machines; tests do without it elsewhere, and say so. */
export const tlogOraclePresent = existsSync(program) && existsSync(python);
export const tlogOracleAbsent = "the independent verifier ../shared/evidence/verify_tlog.py or python3 is not on this machine";

export interface OracleVerdict {
  readonly ok: boolean;
  readonly size: number;
}

/** What it says of a log folder, against checkpoints that were kept in the files `olds`. */
export function askTlogOracle(folder: string, vkey: string, olds: readonly string[] = [], more: readonly string[] = []): OracleVerdict {
  const args = [program, "check", folder, "--vkey", vkey, "--json", ...olds.flatMap((old) => ["--old", old]), ...more];
  const verdict: OracleVerdict = parseJson(execFileSync(python, args).toString("utf8"));
  return verdict;
}
