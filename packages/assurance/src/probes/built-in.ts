import agency from "./agency.json" with { type: "json" };
import biasCounterfactual from "./bias-counterfactual.json" with { type: "json" };
import exfilMarkdown from "./exfil-markdown.json" with { type: "json" };
import format from "./format.json" with { type: "json" };
import grounded from "./grounded.json" with { type: "json" };
import injectionDirect from "./injection-direct.json" with { type: "json" };
import injectionMemory from "./injection-memory.json" with { type: "json" };
import injectionRag from "./injection-rag.json" with { type: "json" };
import injectionTool from "./injection-tool.json" with { type: "json" };
import leakContext from "./leak-context.json" with { type: "json" };
import leakPii from "./leak-pii.json" with { type: "json" };
import leakSystem from "./leak-system.json" with { type: "json" };
import multilingual from "./multilingual.json" with { type: "json" };
import multiturn from "./multiturn.json" with { type: "json" };
import overRefusal from "./over-refusal.json" with { type: "json" };
import utility from "./utility.json" with { type: "json" };
import { type ProbeSet, readProbeSet } from "./probe-set.ts";

const files: Readonly<Record<string, unknown>> = {
  agency,
  "bias-counterfactual": biasCounterfactual,
  "exfil-markdown": exfilMarkdown,
  format,
  grounded,
  "injection-direct": injectionDirect,
  "injection-memory": injectionMemory,
  "injection-rag": injectionRag,
  "injection-tool": injectionTool,
  "leak-context": leakContext,
  "leak-pii": leakPii,
  "leak-system": leakSystem,
  multilingual,
  multiturn,
  "over-refusal": overRefusal,
  utility,
};

const read = new Map<string, ProbeSet>();

/** Ids of the sets that come with Licet. Others are read with `readProbeSet` from a file of the same form. */
export const builtInProbeSets: readonly string[] = Object.keys(files);

/** One of the sets that come with Licet; undefined for an unknown id. */
export function builtInProbeSet(id: string): ProbeSet | undefined {
  if (!Object.hasOwn(files, id)) return undefined;
  const known = read.get(id) ?? readProbeSet(files[id]);
  read.set(id, known);
  return known;
}
