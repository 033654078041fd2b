import type { ControlLine } from "./control-line.ts";
import { SubjectAnswer } from "./wire.ts";

const usersMax = 10_000;

/**
 * Under which subject an end user's words are sealed: the control plane says it, because an erasure there must find the
 * words that a gateway recorded. The name itself is kept nowhere; which subject it has is remembered for the next call.
 */
export function subjects(line: Pick<ControlLine, "ask">): (space: string, user: string) => Promise<string> {
  const known = new Map<string, Promise<string>>();
  return (space, user) => {
    const key = `${space}\n${user}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    if (known.size >= usersMax) known.clear();
    const asked = line.ask("subject", { user }, SubjectAnswer).then(({ subject }) => subject);
    known.set(key, asked);
    asked.catch(() => known.delete(key));
    return asked;
  };
}
