import { parseJson } from "@licet/evidence";
import { z } from "zod";
import { LicetError } from "../base/errors.ts";

export const keyringFileName = "keyring.jsonl";

const place = {
  kid: z.string(),
  space: z.string(),
  subject: z.string(),
  class: z.enum(["governance", "runtime", "content", "pseudonym"]),
  /** The UTC month `2026-11` that the key is for, so that a month can be destroyed. Absent: the key has no end. */
  period: z.string().regex(/^\d{4}-\d{2}$/u).optional(),
  created: z.int(),
};
const living = z.strictObject({ ...place, wrapped: z.base64() });
const destroyed = z.strictObject({ ...place, destroyed: z.int() });
/** Why keys were destroyed, kept with them: a log put back from before the erasure is told again. */
const erasure = z.strictObject({ erasure: z.string(), space: z.string(), kind: z.string(), body: z.record(z.string(), z.json()) });

export type LivingLine = z.output<typeof living>;
export type DestroyedLine = z.output<typeof destroyed>;
export type KeyLine = LivingLine | DestroyedLine;
export type ErasureLine = z.output<typeof erasure>;
export type KeyClass = KeyLine["class"];
type Line = KeyLine | ErasureLine;

const line = z.union([living, destroyed, erasure]);

export function isKeyLine(known: Line): known is KeyLine {
  return "kid" in known;
}

/** A torn last line is one that nobody has used: it is cut off. Any other unreadable line is damage. */
export function parseLines(bytes: Buffer): { readonly lines: readonly Line[]; readonly end: number } {
  const end = bytes.lastIndexOf(0x0a) + 1;
  const texts = bytes.subarray(0, end).toString("utf8").split("\n").slice(0, -1);
  try {
    return { lines: texts.map((text) => line.parse(parseJson(text))), end };
  } catch {
    throw new LicetError("data_damaged", { message: `the keyring \`${keyringFileName}\` in the keys directory is damaged` });
  }
}

export function lineBytes(lines: readonly Line[]): Buffer {
  return Buffer.from(lines.map((each) => `${JSON.stringify(each)}\n`).join(""));
}

/** What a wrapped key is bound to. */
export function wrapAad({ kid, space, subject, class: retention, period }: Omit<KeyLine, "created">): Buffer {
  return Buffer.from(`${kid}\n${space}\n${retention}\n${subject}${period === undefined ? "" : `\n${period}`}`);
}
