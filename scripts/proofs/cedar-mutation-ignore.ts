/**
 * Leaves out mutants of the words in which @licet/cedar refuses something: no promise is made about them but that they
 * are lower case and say what to do. Codes and places (`at`) are promised and stay in.
 */
const speaking = new Set(["refuse", "failType", "thrower", "EvaluationError", "CedarError"]);
/** Of these the words come last, after code and place. */
const wordsLast = new Set(["refuse", "CedarError"]);

interface Node {
  readonly type: string;
  readonly name?: string;
  readonly callee?: Node;
  readonly arguments?: readonly Node[];
}

interface Path {
  readonly node: Node;
  readonly parentPath: Path | null;
}

/** Whether the node stands in the words of a refusal: the last argument of the call, or any of one that takes nothing else. */
function isWords(path: Path): boolean {
  for (let { node, parentPath } = path; parentPath !== null; { node, parentPath } = parentPath) {
    const { callee, arguments: given } = parentPath.node;
    if (given === undefined || callee?.name === undefined || !speaking.has(callee.name)) continue;
    if (callee === node) return false;
    return !wordsLast.has(callee.name) || given.at(-1) === node;
  }
  return false;
}

const ignorer = {
  shouldIgnore(path: Path): string | undefined {
    const text = path.node.type === "StringLiteral" || path.node.type === "TemplateLiteral";
    return text && isWords(path) ? "words of a refusal" : undefined;
  },
};

export const strykerPlugins = [{ kind: "Ignore", name: "cedar-refusals", value: ignorer }];
