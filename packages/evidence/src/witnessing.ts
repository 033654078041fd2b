import { parseCheckpoint, type Checkpoint } from "./checkpoint-text.ts";
import { checkNote, parseNote, verifyNote, type SignatureChecks } from "./note.ts";
import { parsed, refused, type Parsed } from "./parsed.ts";
import type { VkeyType } from "./vkey.ts";
import { checkQuorum, type WitnessPolicy } from "./witness-policy.ts";

/** A witness of the policy whose cosignature holds. */
export interface Witnessed {
  /** In the policy. */
  readonly name: string;
  /** Name in the signature line. */
  readonly cosigner: string;
  readonly type: VkeyType;
  /** Seconds since the Unix epoch, as the witness says; 0 if it says none. */
  readonly timestamp: number;
}

export interface WitnessVerdict {
  /** `none-required`: the policy says `quorum none`, so that nothing was shown, whoever signed. Never call that witnessed. */
  readonly quorum: "met" | "not-met" | "none-required";
  readonly witnessed: readonly Witnessed[];
  /** Names in the policy: a cosignature is there, but this platform cannot check it. Not counted. */
  readonly unsupported: readonly string[];
  /** Names in the policy of those who have not cosigned. */
  readonly absent: readonly string[];
}

/**
 * Which witnesses of the policy have cosigned a signed checkpoint. Refuses a note in which the signature of a known
 * witness is wrong. Says nothing about the log's own signature, nor whether the times are recent.
 */
export async function verifyWitnesses(signed: string, policy: WitnessPolicy, checks: SignatureChecks = {}): Promise<Parsed<WitnessVerdict>> {
  const keys = policy.witnesses.map(({ vkey }) => vkey);
  const note = await checkNote(signed, keys, checks);
  if (!note.ok) return note;
  const checkpoint = parseCheckpoint(note.value.text);
  if (!checkpoint.ok) return checkpoint;
  const witnessed: Witnessed[] = [];
  const unsupported: string[] = [];
  const absent: string[] = [];
  for (const { name, vkey } of policy.witnesses) {
    const signature = note.value.signatures.find(({ key }) => key === vkey);
    if (signature !== undefined) witnessed.push({ name, cosigner: vkey.name, type: vkey.type, timestamp: signature.timestamp ?? 0 });
    else (note.value.unsupported.includes(vkey) ? unsupported : absent).push(name);
  }
  const met = checkQuorum(policy, witnessed.map(({ name }) => name));
  return parsed({ quorum: policy.quorum === null ? "none-required" : met ? "met" : "not-met", witnessed, unsupported, absent });
}

/**
 * A checkpoint by a policy alone: signed by one of the policy's logs, under its name as origin, and cosigned. Refuses
 * `log_unknown`, `witness_quorum`, and what `verifyNote` refuses.
 */
export async function verifyByPolicy(signed: string, policy: WitnessPolicy, checks: SignatureChecks = {}): Promise<Parsed<Checkpoint & { readonly witnesses: WitnessVerdict }>> {
  const parts = parseNote(signed);
  if (!parts.ok) return parts;
  const checkpoint = parseCheckpoint(parts.value.text);
  if (!checkpoint.ok) return checkpoint;
  const keys = policy.logs.map(({ vkey }) => vkey).filter(({ name }) => name === checkpoint.value.origin);
  if (keys.length === 0) return refused("log_unknown", `the policy does not list the log \`${checkpoint.value.origin}\``);
  const note = await verifyNote(signed, keys, checks);
  if (!note.ok) return note;
  const witnesses = await verifyWitnesses(signed, policy, checks);
  if (!witnesses.ok) return witnesses;
  if (witnesses.value.quorum === "not-met") return quorumRefused(witnesses.value);
  // ML-DSA-44 signs size and root, but no extension lines.
  const whole = note.value.signatures.some(({ key }) => key.type === "ed25519");
  return parsed({ ...checkpoint.value, extensions: whole ? checkpoint.value.extensions : [], witnesses: witnesses.value });
}

/** The refusal where a policy's quorum is a condition. */
export function quorumRefused({ witnessed, unsupported }: WitnessVerdict): Parsed<never> {
  const unchecked = unsupported.length === 0 ? "" : `; ${unsupported.length} more cannot be checked on this platform`;
  return refused("witness_quorum", `too few witnesses have cosigned the checkpoint: ${witnessed.length}${unchecked}`);
}
