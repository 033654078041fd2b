import { LicetError } from "../base/errors.ts";

/**
 * Splits a migration into its statements. The subset that both engines share needs no more than quotes and
 * comments; dollar quotes and trigger bodies are not in it and are refused.
 */
export function statements(sql: string): readonly string[] {
  if (/\$\$|\bcreate\s+(or\s+replace\s+)?(trigger|function)\b/iu.test(sql)) {
    throw new LicetError("internal", { message: "a migration uses triggers or functions, which the engines do not share" });
  }
  const pieces = sql.match(/'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|;|[^'";/-]+|[/-]/gu) ?? [];
  if (pieces.join("") !== sql) throw new LicetError("internal", { message: "a migration has an unclosed quote or comment" });
  const found: string[] = [];
  let current = "";
  for (const piece of pieces) {
    if (piece === ";") {
      found.push(current.trim());
      current = "";
    } else if (!piece.startsWith("--") && !piece.startsWith("/*")) {
      current += piece;
    }
  }
  found.push(current.trim());
  return found.filter((statement) => statement !== "");
}
