import type { Layer } from "../layer.ts";
import { Damaged, type Source } from "../source.ts";
import { type Span, wireFields } from "./wire.ts";

/** Kinds of model by field number. Source: Core ML `Model.proto`. */
const kinds = new Set([200, 201, 202, 300, 301, 302, 303, 304, 400, 401, 402, 403, 404, 500, 501, 502, 555, 556, 600, 601, 602, 603, 604, 606, 607, 609, 610, 900, 2000, 2001, 2002, 2003, 2004, 2005, 2006, 3000]);
const customModel = 555;
const networks = new Set([303, 403, 500]);
const pipelines = new Set([200, 201, 202]);
const customLayer = 500;
const depthMax = 8;

/** A version, a description, and exactly one kind of model. */
export function isCoreml(source: Source): boolean {
  const seen: number[] = [];
  try {
    for (const { number, wire } of wireFields(source, { start: 0, end: source.size })) {
      if (number === 1 ? wire !== 0 : number === 2 || kinds.has(number) ? wire !== 2 : number !== 10) return false;
      seen.push(number);
    }
  } catch (fault) {
    if (fault instanceof Damaged) return false;
    throw fault;
  }
  return seen.includes(1) && seen.includes(2) && seen.some((number) => kinds.has(number));
}

export function scanCoreml(layer: Layer): void {
  layer.format = "coreml";
  judgeModel(layer, { start: 0, end: layer.source.size }, 0);
  layer.claimAll("core ml");
}

function judgeModel(layer: Layer, span: Span, depth: number): void {
  if (depth > depthMax) throw new Damaged("models are nested too deep", span.start);
  for (const field of wireFields(layer.source, span)) {
    if (field.number === customModel) layer.report("coreml.custom", "the model is code of the application that loads it", field.start);
    else if (networks.has(field.number)) judgeNetwork(layer, field);
    else if (pipelines.has(field.number)) judgePipeline(layer, field, { kind: field.number, depth });
  }
}

/** A pipeline holds models; those of classifiers and regressors hold a pipeline. */
function judgePipeline(layer: Layer, span: Span, { kind, depth }: { readonly kind: number; readonly depth: number }): void {
  for (const field of wireFields(layer.source, span)) {
    if (field.number !== 1 || field.wire !== 2) continue;
    if (kind === 202) judgeModel(layer, field, depth + 1);
    else judgePipeline(layer, field, { kind: 202, depth: depth + 1 });
  }
}

function judgeNetwork(layer: Layer, span: Span): void {
  for (const field of wireFields(layer.source, span)) {
    if (field.number !== 1 || field.wire !== 2) continue;
    for (const part of wireFields(layer.source, field)) if (part.number === customLayer) layer.report("coreml.custom", "a layer is code of the application that loads it", part.start);
  }
}
