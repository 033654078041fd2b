import { checkQuorum, emptyRoot, formatNote, formatVkey, parsePolicy, type WitnessPolicy } from "@licet/evidence";
import type { Clock } from "../base/clock.ts";
import { LicetError } from "../base/errors.ts";
import { type CheckpointMemory, type LogSigner, signCheckpoint } from "../ledger/checkpoint.ts";
import type { EvidenceLog } from "../ledger/log.ts";
import { type Asked, Peer, type PeerOptions, type ProveConsistency } from "./peer.ts";
import { type Held, heldSignatures, parseSigned, type SignedCheckpoint } from "./submission.ts";

export interface WitnessLimits {
  /** For all witnesses together, for one checkpoint. */
  readonly endorseMs: number;
  /** For all witnesses together, for one round at the start. */
  readonly confirmMs: number;
  /** Rounds at the start while no witness has answered. */
  readonly confirmRounds: number;
  /** Between those rounds. */
  readonly confirmPauseMs: number;
  /** A log at rest has its last checkpoint cosigned again, so that its age tells who still watches. */
  readonly renewMs: number;
}

export const witnessClientLimits: WitnessLimits = { endorseMs: 2000, confirmMs: 5000, confirmRounds: 3, confirmPauseMs: 1000, renewMs: 600_000 };

export interface WitnessesOptions {
  /** C2SP tlog-policy text; each witness line ends with the witness's URL. */
  readonly policyText: string;
  readonly clock: Clock;
  readonly outbound?: PeerOptions["outbound"];
  readonly limits?: Partial<WitnessLimits>;
}

/** What the witnesses are asked about at the start. */
export interface LastSigned {
  readonly log: Pick<EvidenceLog, "origin" | "checkpoint" | "consistencyProof">;
  readonly signer: LogSigner;
  readonly memories: readonly CheckpointMemory[];
}

export interface WitnessStatus {
  readonly name: string;
  readonly url: string;
  /** Entries under the last checkpoint that it cosigned; `null` before the first. */
  readonly size: number | null;
  /** When it cosigned, in milliseconds since the Unix epoch, by its own clock. */
  readonly cosignedAt: number | null;
  readonly ageMs: number | null;
  /** Why it did not cosign the last time it was asked. */
  readonly error: string | null;
}

export interface WitnessesStatus {
  readonly configured: number;
  readonly items: readonly WitnessStatus[];
  /** The note carries the cosignatures that the policy asks for. */
  readonly quorum: boolean;
}

/** No witness answered, and the operator accepts it: to be recorded before anything is signed. */
export interface Unwitnessed {
  readonly witnesses: readonly string[];
  readonly reason: string;
}

/** What `openLog` is given. */
export interface Duties {
  /** Throws while nothing may be signed. */
  maySign(): Promise<void>;
  /** The note with the cosignatures that came in time. Throws `witness_ahead`. */
  endorse(note: string): Promise<string>;
  /** Whether the published checkpoint of this size should be endorsed again. */
  lacking(size: number): boolean;
}

export interface Witnesses {
  readonly policyText: string;
  /**
   * Asks every witness about the last signed checkpoint. Throws `witness_ahead` when one holds a larger or another
   * one, `witness_unreachable` when none answers and `accept` is absent. With an answer of `Unwitnessed`, nothing is
   * signed before `accepted()`.
   */
  confirm(last: LastSigned, accept?: string): Promise<Unwitnessed | undefined>;
  accepted(): void;
  readonly duties: Duties;
  status(note: string | undefined): Promise<WitnessesStatus>;
  close(): Promise<void>;
}

/** Throws `witness_policy_invalid`. */
export function openWitnesses(options: WitnessesOptions): Witnesses {
  return new PolicyWitnesses(options, usablePolicy(options.policyText));
}

function usablePolicy(text: string): WitnessPolicy {
  const policy = parsePolicy(text);
  if (!policy.ok) throw new LicetError("witness_policy_invalid", { message: `the witness policy is unusable: ${policy.message}` });
  for (const { name, url } of policy.value.witnesses) {
    const parsed = url === undefined ? null : URL.parse(url);
    if (parsed === null || !["http:", "https:"].includes(parsed.protocol)) {
      throw new LicetError("witness_policy_invalid", { message: `the witness \`${name}\` of the policy has no http or https url: without it nobody can be asked` });
    }
  }
  return policy.value;
}

function peersOf(policy: WitnessPolicy, { clock, outbound }: WitnessesOptions): readonly Peer[] {
  const byUrl = Map.groupBy(policy.witnesses, ({ url = "" }) => url);
  return [...byUrl].map(([url, witnesses]) => new Peer({ url, witnesses, clock, ...(outbound && { outbound }) }));
}

interface Cosigned {
  readonly size: number;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
}

class PolicyWitnesses implements Witnesses {
  readonly #options: WitnessesOptions;
  readonly #limits: WitnessLimits;
  readonly #policy: WitnessPolicy;
  readonly #peers: readonly Peer[];
  /** By verifier key: what was last cosigned. */
  readonly #cosigned = new Map<string, Cosigned>();
  /** By verifier key: what the published note carries. */
  readonly #noted = new Map<string, Cosigned>();
  #prove: ProveConsistency | undefined;
  /** Why nothing may be signed. */
  #withheld: LicetError | undefined = new LicetError("witness_unreachable", { message: "the witnesses have not been asked yet" });

  constructor(options: WitnessesOptions, policy: WitnessPolicy) {
    this.#options = options;
    this.#limits = { ...witnessClientLimits, ...options.limits };
    this.#policy = policy;
    this.#peers = peersOf(policy, options);
  }

  get policyText(): string {
    return this.#options.policyText;
  }

  async confirm(last: LastSigned, accept?: string): Promise<Unwitnessed | undefined> {
    this.#prove = (oldSize, newSize) => last.log.consistencyProof(oldSize, newSize);
    if (this.#peers.length === 0) {
      this.#withheld = undefined;
      return undefined;
    }
    const { bare: signed } = await this.#apart(await lastSigned(last));
    for (let round = 0; round < this.#limits.confirmRounds; round += 1) {
      if (round > 0) await new Promise((resolve) => setTimeout(resolve, this.#limits.confirmPauseMs));
      const answers = await this.#askAll(this.#peers, signed, this.#limits.confirmMs);
      if (answers.some(({ asked }) => asked.is === "cosigned")) {
        this.#withheld = undefined;
        return undefined;
      }
    }
    this.#withheld = this.#unreachable(last);
    if (accept === undefined) throw this.#withheld;
    return { witnesses: this.#policy.witnesses.map(({ name }) => name), reason: accept };
  }

  accepted(): void {
    if (this.#withheld?.code === "witness_unreachable") this.#withheld = undefined;
  }

  readonly duties: Duties = {
    maySign: async () => {
      if (this.#withheld !== undefined) throw this.#withheld;
    },
    endorse: (note) => this.#endorse(note),
    lacking: (size) => this.#lacking(size),
  };

  async #endorse(note: string): Promise<string> {
    const signed = parseSigned(note);
    if (!signed.ok) throw new LicetError("internal", { message: `the log's own checkpoint does not parse: ${signed.message}` });
    const { bare, cosignatures } = await this.#apart(signed.value);
    const answers = await this.#askAll(this.#peers.filter((peer) => !peer.resting()), bare, this.#limits.endorseMs);
    const fresh = answers.flatMap(({ asked }) => (asked.is === "cosigned" ? asked.held : []));
    const kept = cosignatures.filter(({ key }) => !fresh.some((other) => formatVkey(other.key) === formatVkey(key)));
    this.#noted.clear();
    for (const { key, time = 0 } of [...kept, ...fresh]) this.#noted.set(formatVkey(key), { size: bare.checkpoint.size, at: time * 1000 });
    return bare.note + [...kept, ...fresh].map(({ line }) => line).join("");
  }

  /** A witness needs the log's own signatures only, and a note with those of many witnesses is long. */
  async #apart(signed: SignedCheckpoint): Promise<{ readonly bare: SignedCheckpoint; readonly cosignatures: readonly Held[] }> {
    const held = await heldSignatures(signed.note, this.#policy.witnesses.map(({ vkey }) => vkey));
    if (!held.ok) throw new LicetError("internal", { message: `the log's own checkpoint is wrongly cosigned: ${held.message}` });
    const theirs = new Set(held.value.map(({ line }) => line.trimEnd()));
    const lines = signed.note.slice(signed.text.length + 1, -1).split("\n").filter((line) => !theirs.has(line));
    return { bare: { ...signed, note: formatNote(signed.text, lines.map((line) => `${line}\n`)) }, cosignatures: held.value };
  }

  #lacking(size: number): boolean {
    if (this.#withheld !== undefined) return false;
    const now = this.#options.clock.now();
    return this.#peers.some((peer) => !peer.resting() && peer.witnesses.some(({ vkey }) => !this.#fresh(this.#noted.get(formatVkey(vkey)), { size, now })));
  }

  #fresh(noted: Cosigned | undefined, { size, now }: { readonly size: number; readonly now: number }): boolean {
    return noted?.size === size && now - noted.at < this.#limits.renewMs;
  }

  async status(note: string | undefined): Promise<WitnessesStatus> {
    const { witnesses } = this.#policy;
    const held = note === undefined ? undefined : await heldSignatures(note, witnesses.map(({ vkey }) => vkey));
    const signers = held?.ok ? held.value.map(({ key }) => formatVkey(key)) : [];
    const names = witnesses.filter(({ vkey }) => signers.includes(formatVkey(vkey))).map(({ name }) => name);
    return { configured: witnesses.length, items: this.#peers.flatMap((peer) => this.#statusOf(peer)), quorum: note !== undefined && checkQuorum(this.#policy, names) };
  }

  #statusOf(peer: Peer): readonly WitnessStatus[] {
    return peer.witnesses.map(({ name, vkey }) => {
      const cosigned = this.#cosigned.get(formatVkey(vkey));
      const ageMs = cosigned === undefined ? null : Math.max(0, this.#options.clock.now() - cosigned.at);
      return { name, url: peer.url, size: cosigned?.size ?? null, cosignedAt: cosigned?.at ?? null, ageMs, error: peer.error };
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.close()));
  }

  /** Throws `witness_ahead`, and from then on nothing is signed: one witness with another history is enough. */
  async #askAll(peers: readonly Peer[], { note, checkpoint: { size } }: SignedCheckpoint, milliseconds: number): Promise<readonly { readonly asked: Asked }[]> {
    const prove = this.#prove;
    if (prove === undefined) throw new LicetError("witness_unreachable", { message: "the witnesses have not been asked yet" });
    const signal = AbortSignal.timeout(milliseconds);
    const answers = await Promise.all(peers.map(async (peer) => ({ peer, asked: await peer.ask({ note, size, prove, signal }) })));
    for (const { asked } of answers) {
      for (const { key, time = 0 } of asked.is === "cosigned" ? asked.held : []) this.#cosigned.set(formatVkey(key), { size, at: time * 1000 });
    }
    const contradicting = answers.filter(({ asked }) => asked.is === "ahead" || asked.is === "different");
    if (contradicting.length === 0) return answers;
    const said = contradicting.map(({ peer }) => `\`${namesOf(peer)}\`: ${peer.error ?? ""}`).join("; ");
    this.#withheld = new LicetError("witness_ahead", { message: `the last checkpoint signed here is over ${size} entries, and a witness disagrees: ${said}` });
    throw this.#withheld;
  }

  #unreachable({ log, signer }: LastSigned): LicetError {
    const said = this.#peers.map((peer) => `\`${namesOf(peer)}\` at ${peer.url}: ${peer.error ?? "no answer"}`).join("; ");
    const vkey = formatVkey({ name: log.origin, publicKey: signer.publicKey });
    return new LicetError("witness_unreachable", { message: `no witness has confirmed the last signed checkpoint (${said}); the log's verifier key is ${vkey}`, at: { vkey } });
  }
}

function namesOf(peer: Peer): string {
  return peer.witnesses.map(({ name }) => name).join(", ");
}

/** The largest checkpoint of this log that was ever signed here, by what the machine remembers. */
async function lastSigned({ log, signer, memories }: LastSigned): Promise<SignedCheckpoint> {
  const notes = [log.checkpoint(), ...(await Promise.all(memories.map((memory) => memory.get())))];
  const signed = notes
    .flatMap((note) => (note === undefined ? [] : [parseSigned(note)]))
    .flatMap((parsed) => (parsed.ok && parsed.value.checkpoint.origin === log.origin ? [parsed.value] : []))
    .sort((a, b) => b.checkpoint.size - a.checkpoint.size);
  return signed[0] ?? emptyCheckpoint({ log, signer, memories });
}

/**
 * Nothing was ever signed, as far as this machine remembers. The empty tree is the beginning of every tree: signing it
 * contradicts nothing, and a witness that knows better answers with what it holds.
 */
async function emptyCheckpoint({ log, signer }: LastSigned): Promise<SignedCheckpoint> {
  const plain: LogSigner = { origin: log.origin, publicKey: signer.publicKey, sign: (message) => signer.sign(message) };
  const signed = parseSigned(await signCheckpoint(plain, { size: 0, root: emptyRoot() }));
  if (signed.ok) return signed.value;
  throw new LicetError("internal", { message: signed.message });
}
