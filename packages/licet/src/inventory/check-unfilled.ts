import { isRecord } from "@licet/evidence";
import { pointerOf, quoted, type Path, type Problem } from "./diagnostic.ts";
import { descriptionAt, wordsAt } from "./schema-words.ts";

/** Marks what only the team can fill in. */
export const fillIn = "<fill in>";

/** Marks left in the manifest: text that would pass as a name must not become a fact. */
export function checkUnfilled(data: unknown): readonly Problem[] {
  return marks(data, []).map((path) => {
    const words = wordsAt(path);
    const help = words.length > 0 ? `one of ${words.map(quoted).join(", ")}` : descriptionAt(path);
    return { code: "manifest_unfilled", message: `${quoted(path.join("."))} is not filled in`, path, ...(help === undefined ? {} : { fix: `replace the mark: ${help}` }) };
  });
}

/** What else is wrong with a mark is not worth a second message. */
export function withoutUnfilled(problems: readonly Problem[], unfilled: readonly Problem[]): readonly Problem[] {
  const marked = new Set(unfilled.map((problem) => pointerOf(problem.path)));
  return problems.filter((problem) => !marked.has(pointerOf(problem.path)));
}

function marks(value: unknown, path: Path): readonly Path[] {
  if (typeof value === "string") return value.trim() === fillIn ? [path] : [];
  if (Array.isArray(value)) return value.flatMap((item, index) => marks(item, [...path, index]));
  return isRecord(value) ? Object.entries(value).flatMap(([key, item]) => marks(item, [...path, key])) : [];
}
