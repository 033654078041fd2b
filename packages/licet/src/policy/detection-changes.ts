import { canonicalize, isRecord } from "@licet/evidence";
import { z } from "zod";

/** One thing that a pack declares about detection, as people read it. */
interface DetectionPart {
  readonly pack: string;
  /** As `action of email` or `dictionary project`. */
  readonly name: string;
  readonly text: string;
}

export interface DetectionChange {
  readonly sign: "+" | "~" | "-";
  readonly pack: string;
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** Of bundles of any version: what a section holds is read by its form, so that nothing in it changes unseen. */
const Declaring = z.object({ detection: z.array(z.object({ pack: z.string(), systems: z.array(z.string()).optional(), section: z.record(z.string(), z.unknown()) })).default([]) });

const kinds: Readonly<Record<string, string | undefined>> = { actions: "action of", patterns: "pattern", dictionaries: "dictionary", external: "external detector" };
const idKeys = ["of", "type", "name"];

/** Everything that a bundle's packs declare about detection, in their order. Declarations of one name in a pack are one. */
function detectionParts(bundle: unknown): readonly DetectionPart[] {
  const found = new Map<string, DetectionPart>();
  for (const { pack, systems, section } of Declaring.parse(bundle).detection) {
    const declared = Object.entries(section).flatMap(([key, value]) => (Array.isArray(value) ? value : [value]).map((each: unknown) => partOf(key, each)));
    for (const { name, text } of systems === undefined ? declared : [{ name: "systems", text: systems.join("\n") }, ...declared]) {
      const key = `${pack}\n${name}`;
      const before = found.get(key);
      found.set(key, { pack, name, text: before === undefined ? text : `${before.text}\n${text}` });
    }
  }
  return [...found.values()];
}

function partOf(key: string, value: unknown): Omit<DetectionPart, "pack"> {
  const id = isRecord(value) ? idKeys.find((each) => typeof value[each] === "string") : undefined;
  if (!isRecord(value) || id === undefined) return { name: key, text: plain(value) };
  const lines = Object.entries(value).flatMap(([member, said]) => (member === id ? [] : Array.isArray(said) ? [`${member}:`, ...said.map((each: unknown) => `- ${plain(each)}`)] : [`${member}: ${plain(said)}`]));
  return { name: `${kinds[key] ?? key} ${plain(value[id])}`, text: lines.join("\n") };
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : canonicalize(value);
}

/** What changes from one bundle to another in what is looked for and what is done about it, what went last. */
export function detectionChanges(before: unknown, after: unknown): readonly DetectionChange[] {
  const keyOf = ({ pack, name }: DetectionPart): string => `${pack}\n${name}`;
  const old = new Map(detectionParts(before).map((part) => [keyOf(part), part]));
  const now = detectionParts(after);
  const kept = new Set(now.map(keyOf));
  const changes = now.flatMap((part): readonly DetectionChange[] => {
    const was = old.get(keyOf(part));
    return was?.text === part.text ? [] : [{ sign: was === undefined ? "+" : "~", pack: part.pack, name: part.name, before: was?.text ?? null, after: part.text }];
  });
  const gone = [...old].filter(([key]) => !kept.has(key)).map(([, { pack, name, text }]) => ({ sign: "-" as const, pack, name, before: text, after: null }));
  return [...changes, ...gone];
}
