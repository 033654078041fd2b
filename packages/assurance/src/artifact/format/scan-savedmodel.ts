import type { Layer } from "../layer.ts";
import { Damaged, type Source } from "../source.ts";
import { isObject, parseJson } from "../text/json.ts";
import { type Span, wireFields, wireText } from "./wire.ts";

/** Operators of TensorFlow that reach files, networks, other processes or Python. */
const refused = new Set(
  "ReadFile WriteFile PyFunc PyFuncStateless EagerPyFunc Print PrintV2 MatchingFiles WholeFileReader WholeFileReaderV2 TextLineReader TextLineReaderV2 FixedLengthRecordReader FixedLengthRecordReaderV2 TFRecordReader TFRecordReaderV2 LMDBReader TextLineDataset TFRecordDataset TFRecordDatasetV2 FixedLengthRecordDataset FixedLengthRecordDatasetV2 LMDBDataset SqlDataset CSVDataset CSVDatasetV2 SSTableDataset DatasetToTFRecord SnapshotDataset SnapshotDatasetV2 SaveDataset SaveDatasetV2 LoadDataset DistributedSave CacheDataset CacheDatasetV2 MatchingFilesDataset CreateSummaryFileWriter CreateSummaryDbWriter SummaryWriter WriteSummary WriteGraphSummary WriteRawProtoSummary ImportEvent RpcClient RpcCall RpcServer RpcServerStart RpcServerRegister DataServiceDataset DataServiceDatasetV2 DataServiceDatasetV3 DataServiceDatasetV4 RegisterDataset RegisterDatasetV2 RemoteCall RemoteFusedGraphExecute DebugIdentity DebugIdentityV2 DebugIdentityV3 DebugNumericSummary DebugNumericSummaryV2 GeneratorDataset FromGeneratorDataset DumpTensor GcsConfigureCredentials BigQueryReader ReadVariableXlaSplitND ExperimentalSqlDataset ExperimentalLMDBDataset ExperimentalCSVDataset ExperimentalMatchingFilesDataset ExperimentalTFRecordDataset".split(" "),
);
const reading = new Set(["InitializeTableFromTextFile", "InitializeTableFromTextFileV2"]);
const depthMax = 20;

/** A SavedModel, or a bare graph: both are messages whose fields tell what they are. */
export function isSavedModel(source: Source): boolean {
  return looksLike(source, (number, wire) => (number === 1 && wire === 0) || (number === 2 && wire === 2), [1, 2]) && holdsGraph(source);
}

/** GraphDef: nodes with a name and an operator. */
export function isGraphDef(source: Source): boolean {
  if (!looksLike(source, (number, wire) => (number === 1 && wire === 2) || (number === 2 && wire === 2) || (number === 3 && wire === 0) || (number === 4 && wire === 2) || (number === 5 && wire === 2), [1])) return false;
  return firstNodeHasOperator(source, { start: 0, end: source.size });
}

function looksLike(source: Source, fits: (number: number, wire: number) => boolean, needed: readonly number[]): boolean {
  const seen = new Set<number>();
  try {
    for (const { number, wire } of wireFields(source, { start: 0, end: source.size })) {
      if (!fits(number, wire)) return false;
      seen.add(number);
    }
  } catch (fault) {
    if (fault instanceof Damaged) return false;
    throw fault;
  }
  return needed.every((number) => seen.has(number));
}

function quietly(read: () => boolean): boolean {
  try {
    return read();
  } catch (fault) {
    if (fault instanceof Damaged) return false;
    throw fault;
  }
}

function holdsGraph(source: Source): boolean {
  return quietly(() => {
    for (const meta of wireFields(source, { start: 0, end: source.size })) {
      if (meta.number !== 2) continue;
      const numbers = [...wireFields(source, meta)].map(({ number, wire }) => `${number}:${wire}`);
      return numbers.every((field) => /^[1-7]:2$/u.test(field)) && (numbers.includes("2:2") || numbers.includes("1:2"));
    }
    return false;
  });
}

function firstNodeHasOperator(source: Source, span: Span): boolean {
  return quietly(() => {
    for (const node of wireFields(source, span)) {
      if (node.number !== 1) continue;
      const fields = [...wireFields(source, node)];
      const operator = fields.find(({ number, wire }) => number === 2 && wire === 2);
      return operator !== undefined && fields.every(({ number }) => number >= 1 && number <= 7) && /^[A-Z_>]\w*$/u.test(wireText(source, operator));
    }
    return false;
  });
}

/** Source: TensorFlow `saved_model.proto`, `meta_graph.proto`, `graph.proto`, `function.proto`, `saved_object_graph.proto`. */
export function scanSavedModel(layer: Layer): void {
  layer.format = "savedmodel";
  const all = { start: 0, end: layer.source.size };
  for (const meta of wireFields(layer.source, all)) {
    if (meta.number !== 2) continue;
    for (const field of wireFields(layer.source, meta)) {
      if (field.number === 2) judgeGraph(layer, field);
      else if (field.number === 7) judgeObjects(layer, field);
    }
  }
  layer.claimAll("saved model");
}

export function scanGraphDef(layer: Layer): void {
  layer.format = "graphdef";
  judgeGraph(layer, { start: 0, end: layer.source.size });
  layer.claimAll("graph");
}

function judgeGraph(layer: Layer, span: Span): void {
  for (const field of wireFields(layer.source, span)) {
    if (field.number === 1) judgeNode(layer, field, 0);
    else if (field.number === 2) judgeLibrary(layer, field);
  }
}

function judgeLibrary(layer: Layer, span: Span): void {
  for (const definition of wireFields(layer.source, span)) {
    if (definition.number !== 1) continue;
    for (const node of wireFields(layer.source, definition)) if (node.number === 3) judgeNode(layer, node, 0);
  }
}

function judgeNode(layer: Layer, span: Span, depth: number): void {
  if (!layer.step() || depth > depthMax) throw new Damaged("the graph has more nodes than a scan may follow", span.start);
  let [name, operator] = ["", ""];
  for (const field of wireFields(layer.source, span)) {
    if (field.number === 1) name = wireText(layer.source, field);
    else if (field.number === 2) operator = wireText(layer.source, field);
  }
  const last = operator.split(">").at(-1) ?? operator;
  if (refused.has(last)) {
    layer.imports("tensorflow.raw_ops", last);
    layer.report("savedmodel.operator", `the node \`${name}\` is a \`${operator}\`: it reaches files, networks or Python when the graph runs`, span.start);
  } else if (reading.has(last)) layer.report("savedmodel.asset", `the node \`${name}\` reads a table from an asset`, span.start);
}

/** Keras keeps the configuration of each layer as JSON beside the graph. */
function judgeObjects(layer: Layer, span: Span): void {
  for (const node of wireFields(layer.source, span)) {
    if (node.number !== 1) continue;
    for (const kind of wireFields(layer.source, node)) if (kind.number === 4 && kind.wire === 2) judgeUserObject(layer, kind);
  }
}

function judgeUserObject(layer: Layer, span: Span): void {
  for (const field of wireFields(layer.source, span)) if (field.number === 3 && field.wire === 2) judgeMetadata(layer, wireText(layer.source, field), field.start);
}

/** The metadata of a TensorFlow model names classes of its own freely; a Lambda among them runs on loading. */
export function judgeMetadata(layer: Layer, text: string, at: number): void {
  if (!text.startsWith("{")) return;
  try {
    const { value } = parseJson(text);
    if (isObject(value) && /"class_name"\s*:\s*"(?:Lambda|__lambda__)"|"function_type"\s*:\s*"lambda"/u.test(JSON.stringify(value))) {
      layer.imports("keras.layers", "Lambda");
      layer.report("keras.lambda", "the metadata hold a Lambda layer with compiled Python code", at);
    }
  } catch (fault) {
    if (!(fault instanceof Damaged)) throw fault;
    layer.report("json.malformed", "the metadata of a layer are no JSON", at);
  }
}
