import type { Layer } from "../layer.ts";
import { isList, isObject, type Json, type JsonObject } from "./json.ts";
import { unsafePython } from "./judge-python.ts";

/** A notebook runs nothing when it is opened; its cells are told, and those that reach outside are left to a person. */
export function judgeNotebook(layer: Layer, notebook: JsonObject): void {
  const cells = isList(notebook["cells"]) ? notebook["cells"] : [];
  let code = 0;
  for (const [index, cell] of cells.entries()) {
    if (!isObject(cell) || cell["cell_type"] !== "code") continue;
    code += 1;
    const source = sourceOf(cell["source"]);
    const shell = /^[ \t]*(?:[!%]|%%)(?!matplotlib|time|load_ext|autoreload)/mu.test(source);
    const unsafe = unsafePython(source) ?? (shell ? "a command of the shell" : undefined);
    if (unsafe !== undefined) layer.report("notebook.unsafe", `cell ${index + 1} uses ${unsafe}`);
    if (isList(cell["outputs"]) && hasScript(cell["outputs"])) layer.report("notebook.unsafe", `the output of cell ${index + 1} holds a script that runs when it is shown`);
  }
  if (code > 0) layer.report("notebook", `${code} cells of code stand in the notebook`);
}

function sourceOf(value: Json | undefined): string {
  if (typeof value === "string") return value;
  return isList(value) ? value.filter((line) => typeof line === "string").join("") : "";
}

function hasScript(outputs: readonly Json[]): boolean {
  return outputs.some((output) => isObject(output) && isObject(output["data"]) && ["text/html", "application/javascript", "image/svg+xml"].some((type) => /<script|javascript:|\bon\w+\s*=|^\s*(?:require|alert|fetch|document)/iu.test(sourceOf(isObject(output["data"]) ? output["data"][type] : undefined))));
}
