import type { Manifest } from "@licet/contract";
import { checkContents, type Contents } from "./check-contents.ts";
import { checkFacts } from "./check-facts.ts";
import { checkShape } from "./check-shape.ts";
import { checkUnfilled, withoutUnfilled } from "./check-unfilled.ts";
import type { ComponentSources } from "./component-sources.ts";
import { acceptedComponents, declaredComponents, tooManyComponents } from "./declared.ts";
import { diagnostic, hasErrors, inOrder, type Diagnostic, type Path, type Problem } from "./diagnostic.ts";
import { decodeManifest } from "./manifest-bytes.ts";
import { sourceText, type Range, type SourceText } from "./source-text.ts";
import { parseYaml, type YamlDocument } from "./yaml-document.ts";

export interface DiagnoseOptions {
  /** The manifest as it lies on disk or came over the wire: untrusted. */
  readonly bytes: Uint8Array;
  /** The name to show; nothing is opened by it. */
  readonly file: string;
  readonly sources: ComponentSources;
}

export interface Diagnosis {
  readonly diagnostics: readonly Diagnostic[];
  readonly source: SourceText;
  /** Present exactly when no diagnostic is an error. */
  readonly accepted?: { readonly manifest: Manifest; readonly contents: Contents };
}

/** Everything that is wrong with a manifest, in one run, in the order of the text. Never throws on any bytes. */
export function diagnose(options: DiagnoseOptions): Diagnosis {
  const decoded = decodeManifest(options.bytes);
  const source = sourceText(decoded.text);
  const place = placer({ ...source, file: options.file });
  if (decoded.kind === "problem") return { source, diagnostics: [place(decoded.problem)] };
  const parsed = parseYaml(decoded.text);
  if (parsed.kind === "problems") return { source, diagnostics: inOrder(parsed.problems.map((problem) => place(problem))) };
  const { data } = parsed.document;
  const crowd = tooManyComponents(data);
  if (crowd !== undefined) return { source, diagnostics: [place(crowd, parsed.document)] };

  const shape = checkShape(data);
  const components = shape.kind === "manifest" ? acceptedComponents(shape.manifest) : declaredComponents(data);
  const contents = checkContents(components, options.sources);
  const unfilled = checkUnfilled(data);
  const found = [...(shape.kind === "problems" ? shape.problems : []), ...checkFacts(data, components), ...contents.problems];
  const problems = [...unfilled, ...withoutUnfilled(found, unfilled)];
  const diagnostics = inOrder(problems.map((problem) => place(problem, parsed.document)));
  if (shape.kind === "problems" || hasErrors(diagnostics)) return { source, diagnostics };
  return { source, diagnostics, accepted: { manifest: shape.manifest, contents } };
}

function placer(source: SourceText & { readonly file: string }): (problem: Problem, document?: YamlDocument) => Diagnostic {
  return (problem, document) => diagnostic(problem, problem.range ?? rangeFor(problem, document), source);
}

function rangeFor(problem: Problem, document: YamlDocument | undefined): Range {
  if (document === undefined) return [0, 1];
  const at = problem.atKey === true ? document.keyRange(problem.path) : document.valueRange(problem.path);
  return shortened(at ?? document.keyRange(problem.path) ?? nearest(problem.path, document));
}

/** What is missing stands nowhere: point at the key, or the start, of the nearest part that exists. */
function nearest(path: Path, document: YamlDocument): Range {
  for (let length = path.length - 1; length > 0; length--) {
    const parent = path.slice(0, length);
    const key = document.keyRange(parent);
    if (key !== undefined) return key;
    const value = document.valueRange(parent);
    if (value !== undefined) return [value[0], value[0] + 1];
  }
  return [0, 1];
}

const rangeLengthMax = 2000;

function shortened([start, end]: Range): Range {
  return [start, Math.min(end, start + rangeLengthMax)];
}
