import { readJson, wellFormed } from "../gateway/json.ts";
import { Evaluation } from "./protocol.ts";

const bodiesMax = 1024;
const bodyBytesMax = 4096;

/**
 * Bodies of questions, read once: an enforcement point asks the same again and again. Owned by one decision API; the objects
 * are frozen, because many questions share them. What a body says is remembered, never what was decided on it.
 */
export class KnownBodies {
  readonly #bodies = new Map<string, object>();

  /** The JSON object of these bytes; undefined for any other. */
  read(bytes: Uint8Array): object | undefined {
    if (bytes.length > bodyBytesMax) return objectIn(bytes);
    // One character a byte: equal texts are equal bytes.
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    const known = this.#bodies.get(text);
    if (known !== undefined) return known;
    const body = objectIn(bytes);
    if (body === undefined) return undefined;
    if (this.#bodies.size >= bodiesMax) this.#bodies.clear();
    this.#bodies.set(text, frozen(body));
    return body;
  }
}

function objectIn(bytes: Uint8Array): object | undefined {
  const json = readJson(bytes)?.value;
  return typeof json === "object" && json !== null && !Array.isArray(json) && wellFormed(json) ? json : undefined;
}

function frozen<T extends object>(value: T): T {
  Object.freeze(value);
  for (const child of Object.values(value)) {
    if (typeof child === "object" && child !== null) frozen(child);
  }
  return value;
}

type Parsed = ReturnType<typeof Evaluation.safeParse>;

/** Owned by `readEvaluation`. */
const evaluations = new WeakMap<object, Parsed>();

/** The evaluation that a body asks for; the same object for the same body. */
export function readEvaluation(body: object): Parsed {
  const known = evaluations.get(body);
  if (known !== undefined) return known;
  const parsed = Evaluation.safeParse(body);
  // What may still change is read each time.
  if (Object.isFrozen(body)) evaluations.set(body, parsed);
  return parsed;
}
