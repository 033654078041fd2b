import type { Layer } from "../layer.ts";
import type { ArtifactRule } from "../rules.ts";
import { ByteReader, Damaged, type Source } from "../source.ts";
import { allowList } from "./allow-list.ts";
import { type Interpretation, interpret } from "./interpret.ts";
import type { MachineOptions, PickleSink } from "./machine.ts";
import { type Value, textIn } from "./value.ts";

const streamsMax = 1024;
const shadowStepsMax = 200_000;
const dryStepsMax = 100_000;
const hiddenStepsMax = 1_000_000;
/** The first stream of `torch.save` before version 1.6: a fixed number, 0x1950a86a20f9469cfc6c. */
const torchMagic = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];
const torchStreams = 5;
const elementWidths = new Set([1, 2, 4, 8, 16]);
const moduleName = /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/u;
/** Modules that are on every machine: a text that resembles a pickle does not name them by chance. */
const alwaysThere = new Set("os posix nt sys subprocess builtins __builtin__ socket shutil pty commands runpy importlib ctypes webbrowser platform pickle cPickle marshal code types operator functools itertools asyncio multiprocessing threading timeit pdb bdb cProfile profile trace codecs base64 tempfile pathlib io urllib http smtplib ftplib ssl requests numpy torch pip site zipfile tarfile logging string datetime collections copyreg copy_reg _codecs ast inspect gc signal resource time random".split(" "));

export function isTorchLegacy(source: Source): boolean {
  const head = source.read(2, torchMagic.length);
  return source.read(0, 1)[0] === 0x80 && torchMagic.every((byte, index) => head[index] === byte);
}

interface Judged {
  readonly rule: ArtifactRule;
  readonly what: string;
  readonly module?: string;
}

/** Keeps what it is told, for a reading that may turn out to be none. */
class Notes implements PickleSink {
  readonly judged: Judged[] = [];
  modules: string[] = [];

  report(rule: ArtifactRule, what: string): void {
    this.judged.push({ rule, what });
  }

  imports(module: string): void {
    this.modules.push(module);
  }
}

function dryRun(source: Source, steps: number, resumed?: Interpretation["firstArray"]): { readonly result: Interpretation; readonly notes: Notes } {
  const notes = new Notes();
  const budget = { left: steps };
  const step = (): boolean => (budget.left -= 1) > 0;
  const reader = new ByteReader(source, resumed?.at ?? 0);
  return { result: interpret({ reader, sink: notes, roles: allowList(), torch: false, inlineArrays: resumed === undefined, step }, resumed), notes };
}

/**
 * Whether bytes without a magic number are a pickle of protocol 0 or 1. Texts resemble these, so a reading counts only
 * when it imports something that can be imported, or reads the whole of the bytes.
 */
export function looksLikePickle(source: Source): boolean {
  const [first, second] = source.read(0, 2);
  if (first === undefined) return false;
  const { result, notes } = dryRun(source, dryStepsMax);
  if (first === 0x80 && (second ?? 9) <= 5) return result.ended !== "damaged" || result.opcodes > 1;
  const named = notes.modules.filter((module) => moduleName.test(module));
  if (named.some((module) => alwaysThere.has(module.split(".")[0] ?? ""))) return true;
  if (result.ended === "stop") return named.length > 0 || (result.at === source.size && result.opcodes > 1);
  return result.ended === "steps" || (named.length > 0 && result.calls > 0);
}

/** Whether bytes that are meant to be numbers would do something as a pickle. */
export function hidesPickle(source: Source): boolean {
  const { notes, result } = dryRun(source, hiddenStepsMax);
  // Numbers do not happen to be millions of opcodes: such a run hides where it leads.
  if (result.ended === "steps") return true;
  return notes.judged.length > 0 && notes.modules.some((module) => moduleName.test(module) && (alwaysThere.has(module.split(".")[0] ?? "") || module.length > 3));
}

/** Reads a layer as pickle streams: one for most files, five and raw storages for old files of PyTorch. */
export function scanPickle(layer: Layer): void {
  const reader = new ByteReader(layer.source);
  if (isTorchLegacy(layer.source)) {
    layer.format = "torch-legacy";
    scanTorchLegacy(layer, reader);
    return;
  }
  layer.format = "pickle";
  const result = scanStream(layer, reader, { torch: layer.purpose === "torch" || layer.purpose === "torchscript", script: layer.purpose === "torchscript", inlineArrays: true });
  if (result.firstArray !== undefined) {
    layer.format = "joblib";
    shadow(layer, result.firstArray);
  }
  if (result.ended === "stop") scanRest(layer, reader);
}

function scanStream(layer: Layer, reader: ByteReader, how: Pick<MachineOptions, "torch" | "script" | "inlineArrays">): Interpretation {
  const start = reader.at;
  const sink: PickleSink = {
    report: (rule, what, offset) => layer.report(rule, what, offset),
    imports: (module, name) => layer.imports(module, name),
  };
  const storage = (key: string, bytes: number): void => void layer.storages.set(key, Math.max(bytes, layer.storages.get(key) ?? 0));
  const result = interpret({ ...how, reader, sink, storage, roles: allowList(), step: () => layer.step() });
  if (result.ended === "damaged") layer.report("pickle.malformed", `the pickle breaks off at byte ${result.at}: ${result.what}`, result.at);
  if (result.ended === "steps") layer.report("limit.steps", result.what, result.at);
  layer.claims.claim(start, result.ended === "stop" ? result.at : layer.source.size, result.ended === "stop" ? "pickle" : "broken pickle");
  return result;
}

/** What follows the first stream. Nothing of the kind belongs into a file that one call loads. */
function scanRest(layer: Layer, reader: ByteReader): void {
  const trailing = reader.at;
  if (reader.left === 0) return;
  let streams = 1;
  while (reader.left > 0 && streams < streamsMax) {
    const before = reader.at;
    const rest = { size: reader.size - before, read: (offset: number, length: number) => layer.source.read(before + offset, length) };
    if (!looksLikePickle(rest)) break;
    streams += 1;
    if (scanStream(layer, reader, { torch: false, inlineArrays: true }).ended !== "stop") break;
  }
  if (streams > 1) layer.report("pickle.streams", `${streams} or more pickles follow each other in one file`, trailing);
  else layer.report("pickle.trailing", `${layer.source.size - trailing} bytes follow the pickle`, trailing);
  layer.claims.claim(trailing, layer.source.size, "trailing data");
}

/** A reader that does not know of raw arrays would take their bytes for opcodes: what would it do then? */
function shadow(layer: Layer, resumed: NonNullable<Interpretation["firstArray"]>): void {
  const { notes } = dryRun(layer.source, shadowStepsMax, resumed);
  const named = notes.modules.some((module) => module.length > 1 && moduleName.test(module));
  const [first] = notes.judged;
  if (named && first !== undefined) layer.report("pickle.shadow", `the bytes of an array are a pickle for a reader that takes them for one: ${first.what}`, resumed.at);
}

/** Magic number, protocol, system facts, the object, the list of storage keys; then each storage with its length. */
function scanTorchLegacy(layer: Layer, reader: ByteReader): void {
  let keys: Value | undefined;
  for (let stream = 0; stream < torchStreams; stream += 1) {
    const result = scanStream(layer, reader, { torch: true, inlineArrays: false });
    if (result.ended !== "stop") return;
    keys = result.value;
  }
  try {
    readStorages(layer, reader, keys);
  } catch (fault) {
    if (!(fault instanceof Damaged)) throw fault;
    layer.report("torch.storage", `the storages break off: ${fault.message}`, fault.offset);
  }
  if (reader.left > 0) layer.report("pickle.trailing", `${reader.left} bytes follow the storages`, reader.at);
  layer.claims.claim(reader.at, layer.source.size, "trailing data");
}

function readStorages(layer: Layer, reader: ByteReader, keys: Value | undefined): void {
  if (keys?.kind !== "list") throw new Damaged("there is no list of storages", reader.at);
  const names = keys.items.map(textIn);
  for (const name of names) {
    const start = reader.at;
    const bytes = layer.storages.get(name ?? "");
    if (bytes === undefined) throw new Damaged("a storage has no tensor", start);
    const elements = reader.u64();
    const fits = elements === 0 ? bytes === 0 : elementWidths.has(bytes / elements);
    if (!fits) throw new Damaged(`storage \`${name ?? ""}\` has another length than its tensors say`, start);
    reader.skip(bytes);
    layer.claims.claim(start, reader.at, "storage");
  }
  if (new Set(names).size !== layer.storages.size) throw new Damaged("tensors name storages that are not in the file", reader.at);
}
