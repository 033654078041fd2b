import type { JsonObject } from "../ledger/recorder.ts";
import type { AnswerHeaders, Caller } from "./answer.ts";
import type { Match } from "../detect/detector.ts";
import type { ExternalLines } from "./detect/external.ts";
import type { DetectionRules } from "./detect/rules.ts";
import type { JsonPath } from "./dialect.ts";
import { refuse, type Refusal } from "./refusal.ts";
import type { RelayEnd } from "./relay.ts";
import { textsOf } from "./texts.ts";

export interface Externals {
  readonly lines: ExternalLines | undefined;
  readonly rules: DetectionRules;
}

/** What external detectors said of a request: where they found something, or why the call must not go on. */
export interface RequestCheck {
  readonly more?: readonly (readonly Match[])[];
  readonly refusal?: Refusal;
}

/** Asks those that look at requests; undefined where there are none. */
export async function askedRequest({ lines, rules }: Externals, request: JsonObject, isFixed: (path: JsonPath) => boolean): Promise<RequestCheck | undefined> {
  if (!rules.external.some(({ on }) => on.has("request"))) return undefined;
  if (lines === undefined) return { refusal: unavailable("external detectors") };
  const texts = textsOf(request, isFixed).map(({ text }) => text);
  const answer = await lines.ask({ external: rules.external, on: "request", texts });
  return answer.kind === "found" ? { more: answer.matches } : { refusal: unavailable(answer.detector, answer.cause) };
}

function unavailable(detector: string, cause = "they cannot be asked here"): Refusal {
  return refuse("detector_unavailable", { message: `the detector \`${detector}\` could not be asked: ${cause}` });
}

/** Looks at the texts of an answer before any of it goes out. */
export type AnswerCheck = (texts: readonly string[], found: Map<string, number>) => Promise<Refusal | undefined>;

/** Undefined where no external detector looks at answers. */
export function answerCheck({ lines, rules }: Externals, boundary: readonly string[]): AnswerCheck | undefined {
  if (!rules.external.some(({ on }) => on.has("answer"))) return undefined;
  return async (texts, found) => {
    if (lines === undefined) return unavailable("external detectors");
    const answer = await lines.ask({ external: rules.external, on: "answer", texts });
    if (answer.kind !== "found") return unavailable(answer.detector, answer.cause);
    const types = answer.matches.flat().map(({ type }) => type);
    for (const type of types) found.set(type, (found.get(type) ?? 0) + 1);
    // What goes out is written already: where something would have to change, nothing goes out.
    const stopped = [...new Set(types.filter((type) => rules.action(type, boundary) !== "flag"))];
    return stopped.length === 0 ? undefined : refuse("answer_outside_boundary", { message: `the model's answer holds what a detector does not let pass: ${stopped.join(", ")}` });
  };
}

/** A caller that gets nothing until it is let go. */
export interface HeldCaller extends Caller {
  release(): void;
}

export function heldCaller(caller: Caller): HeldCaller {
  let head: AnswerHeaders | undefined;
  const held: string[] = [];
  return {
    get gone() {
      return caller.gone;
    },
    onGone: (listener) => caller.onGone(listener),
    json: (status, headers, body) => caller.json(status, headers, body),
    startStream: (headers) => {
      head = headers;
    },
    write: (text) => {
      held.push(text);
      return true;
    },
    onDrain: () => undefined,
    end: () => caller.end(),
    breakOff: (lastEvent) => caller.breakOff(lastEvent),
    release: () => {
      if (head === undefined) return;
      caller.startStream(head);
      if (held.length > 0) caller.write(held.join(""));
    },
  };
}

/** The end of an exchange whose answer waits: let go, or refused as one that never began. */
export async function checkedEnd(check: AnswerCheck, held: HeldCaller, end: RelayEnd): Promise<RelayEnd> {
  if (end.refusal !== undefined) return { ...end, started: false };
  const { texts = [], truncated = true } = end.said ?? {};
  const found = new Map(end.counting.found);
  const refusal = truncated ? refuse("upstream_too_large", { message: "the answer is longer than external detectors are asked about" }) : await check(texts.map(({ text }) => text), found);
  const counting = { ...end.counting, found };
  if (refusal === undefined) {
    held.release();
    return { ...end, counting };
  }
  const { body: _, last: __, said: ___, ...rest } = end;
  return { ...rest, counting, refusal, abortedBy: "boundary", started: false };
}
