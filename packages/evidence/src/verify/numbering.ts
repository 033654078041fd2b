import { count, fail, pass, verdict, type Finding } from "./report.ts";
import type { LeafHead } from "./leaf-scan.ts";

/** Gateways, and numbers that wait for smaller ones, beyond these are not kept: the log then fails. */
const gatewaysMax = 1_000_000;
const waitingMax = 1_000_000;

interface Counter {
  readonly gateway: string;
  /** The smallest number not seen. */
  next: number;
  /** Seen beyond `next`: concurrent calls may be logged in another order than numbered. */
  readonly later: Map<number, number>;
}

/**
 * Follows the numbers of every gateway through a whole log: from 1 on, each once. A refused entry gives its number
 * back, so that even then none is left out.
 */
export class Numbering {
  readonly #counters = new Map<string, Counter>();
  readonly #failures: Finding[] = [];
  #numbered = 0;
  #waiting = 0;
  #full = false;

  /** `open`: earlier entries are not there, so a gateway that is met first may have begun before. */
  take(index: number, { space, gateway, seq }: LeafHead, open: boolean): void {
    if (gateway === undefined || seq === undefined || this.#full) return;
    this.#numbered += 1;
    const name = `${space} ${gateway}`;
    const counter = this.#counters.get(name) ?? { gateway, next: open ? seq : 1, later: new Map<number, number>() };
    this.#counters.set(name, counter);
    if (seq < counter.next || counter.later.has(seq)) {
      // Before a pruned log's first entry smaller numbers may be missing, but not behind it.
      if (!open) this.#failures.push(fail("decision", "decision_twice", `entry ${index}: \`${gateway}\` used number ${seq} before, or it is no number from 1 on`));
    } else this.#count(counter, seq, index);
    this.#full = this.#waiting > waitingMax || this.#counters.size > gatewaysMax;
  }

  #count(counter: Counter, seq: number, index: number): void {
    if (seq !== counter.next) {
      counter.later.set(seq, index);
      this.#waiting += 1;
      return;
    }
    counter.next += 1;
    while (counter.later.delete(counter.next)) {
      counter.next += 1;
      this.#waiting -= 1;
    }
  }

  findings(): readonly Finding[] {
    const failures = [...this.#failures];
    if (this.#full) failures.push(fail("decision", "decision_bounds", `more than ${waitingMax} numbers without their predecessors, or more than ${gatewaysMax} gateways: this verifier does not follow them`));
    for (const { gateway, next, later } of this.#counters.values()) failures.push(...gapsOf(gateway, next, later));
    const sentence = this.#numbered === 0 ? "no entry bears a gateway's number" : `${count(this.#numbered, "numbered entry", "numbered entries")} of ${count(this.#counters.size, "gateway")}, each number once and none left out; a call that got no number cannot be seen in a log`;
    return verdict(failures, pass("decision", sentence));
  }
}

function gapsOf(gateway: string, next: number, later: ReadonlyMap<number, number>): readonly Finding[] {
  const failures: Finding[] = [];
  let expected = next;
  for (const [seq, index] of [...later].sort(([left], [right]) => left - right)) {
    if (seq > expected) {
      const missing = seq - 1 === expected ? `number ${expected} is` : `numbers ${expected} to ${seq - 1} are`;
      failures.push(fail("decision", "decision_missing", `\`${gateway}\`: ${missing} not in the log, though ${seq} is, in entry ${index}`));
    }
    expected = seq + 1;
  }
  return failures;
}
