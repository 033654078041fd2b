import { fromBase64 } from "../bytes.ts";
import { digestOfBytes } from "../sha256.ts";
import type { OpenedEntry, ProvedEntry } from "./entry.ts";
import { fail, type Finding } from "./report.ts";

/** Kinds of entries whose body names destroyed keys: on request, and by schedule. */
const erasingKinds = new Set(["payload.erased", "retention.applied"]);

/** Of each destroyed key, the last entry that says so. */
function destroyedKeys(entries: readonly OpenedEntry[]): ReadonlyMap<string, number> {
  const destroyed = new Map<string, number>();
  for (const { index, leaf, plaintext } of entries) {
    const { keys } = plaintext.body;
    if (!erasingKinds.has(leaf.kind) || !Array.isArray(keys)) continue;
    for (const key of keys) if (typeof key === "string") destroyed.set(`${leaf.space} ${key}`, Math.max(index, destroyed.get(`${leaf.space} ${key}`) ?? -1));
  }
  return destroyed;
}

/** No content is left out but what an entry of the export says was erased, and nothing of that is shown. */
export function checkErasures(opened: readonly OpenedEntry[], closed: readonly ProvedEntry[]): readonly Finding[] {
  const destroyed = destroyedKeys(opened);
  const erasedAfter = ({ index, leaf }: ProvedEntry): boolean => (destroyed.get(`${leaf.space} ${leaf.payload.kid}`) ?? -1) > index;
  const revived = opened.filter(erasedAfter).map(({ index }) => fail("payload", "payload_revived", `entry ${index}: its content is shown, though a later entry says that its key was destroyed`));
  return [...revived, ...closed.flatMap((entry) => closedFailures(entry, erasedAfter(entry)))];
}

function closedFailures({ index, leaf, payload }: ProvedEntry, erased: boolean): readonly Finding[] {
  if (!erased || payload === undefined) return [fail("payload", "payload_withheld", `entry ${index}: its content is not shown, and no later entry in the export says that it was erased`)];
  const ciphertext = "ciphertext" in payload && payload.ciphertext !== undefined ? fromBase64(payload.ciphertext) : undefined;
  if (ciphertext === undefined) return [];
  const committed = ciphertext.ok && ciphertext.value.length === leaf.payload.size && digestOfBytes(ciphertext.value) === leaf.payload.digest;
  return committed ? [] : [fail("payload", "payload_digest", `entry ${index}: the erased payload is not the one that the log commits to`)];
}
