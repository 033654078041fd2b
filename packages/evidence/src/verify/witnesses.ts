import type { Trust } from "../trust.ts";
import { verifyWitnesses, type Witnessed, type WitnessVerdict } from "../witnessing.ts";
import { count, fail, pass, type Finding } from "./report.ts";

const keepACheckpoint = "whoever holds the log's key could show somebody else another log; a checkpoint kept from before shows whether the past was changed";

/** Without a policy nothing was witnessed, and that is never called a pass. */
function notWitnessed(why: string): Finding {
  return { status: "not_witnessed", check: "witness", code: "not_witnessed", sentence: `${why}: ${keepACheckpoint}` };
}

/** The cosignatures on a signed checkpoint, judged by the trust file's policy. */
export async function checkWitnesses(signed: string, trust: Trust): Promise<Finding> {
  if (trust.witnesses === null) return notWitnessed("the trust file names no witness");
  const verdict = await verifyWitnesses(signed, trust.witnesses);
  if (!verdict.ok) return fail("witness", verdict.code, verdict.message);
  const { quorum, witnessed } = verdict.value;
  if (quorum === "none-required") return notWitnessed("the trust file's policy asks for no witness");
  if (quorum === "not-met") return fail("witness", "witness_quorum", `too few witnesses have cosigned the checkpoint: ${namesOf(witnessed)}${missing(verdict.value)}`);
  return pass("witness", `${count(witnessed.length, "witness", "witnesses")} cosigned the checkpoint, which the policy finds enough: ${namesOf(witnessed)}${missing(verdict.value)}`);
}

function namesOf(witnessed: readonly Witnessed[]): string {
  return witnessed.length === 0 ? "none" : witnessed.map(({ name, timestamp }) => `\`${name}\`${timestamp === 0 ? " without a time" : ` at ${timeOf(timestamp)}`}`).join(", ");
}

/** A witness may say any number; ECMAScript dates end 8.64e12 seconds after the epoch. */
function timeOf(seconds: number): string {
  return seconds <= 8_640_000_000_000 ? new Date(seconds * 1000).toISOString() : `second ${seconds}`;
}

function missing({ unsupported, absent }: WitnessVerdict): string {
  const unchecked = unsupported.length === 0 ? "" : `; not checked, because this platform cannot: ${quoted(unsupported)}`;
  return `${unchecked}${absent.length === 0 ? "" : `; no cosignature by ${quoted(absent)}`}`;
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}
