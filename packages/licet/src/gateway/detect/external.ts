import type { DetectionSection, FindingClass } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { z } from "zod";
import { fetchOutbound, openOutbound, type Outbound } from "../../base/outbound.ts";
import type { Match } from "../../detect/detector.ts";

/** A detector that runs elsewhere and is asked over HTTP. */
export interface ExternalDetector {
  readonly name: string;
  readonly url: string;
  /** The types that it may find. */
  readonly classes: ReadonlyMap<string, FindingClass>;
  readonly on: ReadonlySet<"request" | "answer">;
  readonly timeoutMs: number;
  readonly allow: readonly string[];
}

type Declared = NonNullable<DetectionSection["external"]>[number];

const timeoutMsDefault = 1000;
const answerBytesMax = 1_048_576;
const findingsMax = 10_000;

export function externalDetectors(declared: readonly Declared[]): readonly ExternalDetector[] {
  return declared.map(({ name, url, classes, on = ["request"], timeoutMs = timeoutMsDefault, allow = [] }) => ({ name, url, classes: new Map(Object.entries(classes)), on: new Set(on), timeoutMs, allow }));
}

export type ExternalAnswer =
  /** For each text, in its order. */
  | { readonly kind: "found"; readonly matches: readonly (readonly Match[])[] }
  /** One could not be asked or its answer not be read: the call must not go on. */
  | { readonly kind: "unavailable"; readonly detector: string; readonly cause: string };

const Answer = z.strictObject({
  findings: z.array(z.strictObject({ text: z.int().min(0), type: z.string().max(63), start: z.int().min(0), end: z.int().min(1) })).max(findingsMax),
});

export interface ExternalAsk {
  readonly external: readonly ExternalDetector[];
  readonly on: "request" | "answer";
  readonly texts: readonly string[];
}

/** Connections to external detectors; owned by one gateway. */
export class ExternalLines {
  readonly #lines = new Map<string, Promise<Outbound>>();

  /** Asks all of them at once. Fails closed: who does not answer in time, or not in its form, makes the whole unavailable. */
  async ask({ external, on, texts }: ExternalAsk): Promise<ExternalAnswer> {
    const asked = external.filter((each) => each.on.has(on));
    const answers = await Promise.all(asked.map((each) => this.#one(each, texts)));
    const missing = answers.find((answer) => answer.kind === "unavailable");
    if (missing !== undefined) return missing;
    return { kind: "found", matches: texts.map((_, index) => answers.flatMap((answer) => (answer.kind === "found" ? (answer.matches[index] ?? []) : []))) };
  }

  async close(): Promise<void> {
    const open = await Promise.allSettled(this.#lines.values());
    this.#lines.clear();
    await Promise.all(open.map(async (line) => (line.status === "fulfilled" ? line.value.close() : undefined)));
  }

  async #one(detector: ExternalDetector, texts: readonly string[]): Promise<ExternalAnswer> {
    try {
      const { outbound, path } = await this.#line(detector);
      const body = JSON.stringify({ v: 1, texts });
      const answer = await fetchOutbound(outbound, { method: "POST", path, headers: { "content-type": "application/json", accept: "application/json" }, body });
      if (answer.status !== 200) return unavailable(detector, `it answered with status ${answer.status}`);
      return read(detector, texts, Buffer.from(answer.body).toString("utf8"));
    } catch (error) {
      this.#lines.delete(lineKey(detector));
      return unavailable(detector, error instanceof Error ? error.message : "it could not be asked");
    }
  }

  async #line(detector: ExternalDetector): Promise<{ readonly outbound: Outbound; readonly path: string }> {
    const url = new URL(detector.url);
    const key = lineKey(detector);
    const opening = this.#lines.get(key) ?? openOutbound({ baseUrl: url.origin, allow: detector.allow, limits: limitsOf(detector) });
    this.#lines.set(key, opening);
    return { outbound: await within(opening, detector.timeoutMs), path: `${url.pathname}${url.search}` };
  }
}

function lineKey({ url, timeoutMs, allow }: ExternalDetector): string {
  return [new URL(url).origin, timeoutMs, ...allow].join(" ");
}

function limitsOf({ timeoutMs }: ExternalDetector) {
  return { connectMs: timeoutMs, headersMs: timeoutMs, idleMs: timeoutMs, totalMs: timeoutMs, answerBytesMax };
}

/** Looking up a name takes as long as it likes. */
async function within<T>(opening: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("its address was not found in time")), timeoutMs);
  });
  try {
    return await Promise.race([opening, late]);
  } finally {
    clearTimeout(timer);
  }
}

function unavailable({ name }: ExternalDetector, cause: string): ExternalAnswer {
  return { kind: "unavailable", detector: name, cause };
}

function read(detector: ExternalDetector, texts: readonly string[], json: string): ExternalAnswer {
  const parsed = Answer.safeParse(parseJson(json));
  if (!parsed.success) return unavailable(detector, "its answer is not in its form");
  const matches = texts.map((): Match[] => []);
  for (const { text, type, start, end } of parsed.data.findings) {
    const fits = detector.classes.has(type) && start < end && end <= (texts[text]?.length ?? 0);
    if (!fits) return unavailable(detector, "it names a type or a place that it was not asked about");
    matches[text]?.push({ type, start, end });
  }
  return { kind: "found", matches };
}
