import { append, type Machine, setItem, textLineBytesMax } from "./machine.ts";
import {
  type Dict, type Items, type Value, bytesValue, falseValue, floatValue, integerValue, noneValue, textCharactersMax, textValue, trueValue, tupleValue,
} from "./value.ts";

export type Opcode = (machine: Machine) => void;

const utf8 = new TextDecoder("utf-8");
const textBytesMax = textCharactersMax * 4;
const mutableSequences = new Set(["collections deque", "pandas.core.indexes.frozen FrozenList"]);
const integerText = /^\s*[+-]?\d[\d_]*L?\s*$/u;

function text(bytes: Uint8Array): Value {
  return textValue(bytes.length > textBytesMax ? "".padEnd(textCharactersMax + 1, " ") : utf8.decode(bytes));
}

function lineText(machine: Machine): string {
  const line = machine.reader.line(textLineBytesMax);
  return Buffer.from(line.subarray(0, textBytesMax + 1)).toString("latin1");
}

/** `\uXXXX` and `\UXXXXXXXX`, the two escapes of the raw-unicode-escape codec; other bytes are Latin-1. */
function rawUnicode(machine: Machine): Value {
  return textValue(lineText(machine).replaceAll(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/gu, (_, short: string | undefined, long: string | undefined) => codePoint(Number.parseInt(short ?? long ?? "0", 16))));
}

function codePoint(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : "\uFFFD";
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "\\": "\\", "'": "'", '"': '"', a: "\u0007", b: "\b", f: "\f", v: "\v" };

function quoted(machine: Machine): Value {
  const line = lineText(machine).trimEnd();
  const [quote] = line;
  if (quote === undefined || (quote !== "'" && quote !== '"') || (line.length <= textBytesMax && (line.length < 2 || !line.endsWith(quote)))) throw machine.damaged("a text has no quotes");
  return textValue(line.slice(1, -1).replaceAll(/\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|([\s\S]))/gu, (_, hex: string | undefined, octal: string | undefined, other: string | undefined) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    return octal === undefined ? (escapes[other ?? ""] ?? other ?? "") : String.fromCodePoint(Number.parseInt(octal, 8) & 255);
  }));
}

function integerLine(machine: Machine): Value {
  const line = lineText(machine);
  if (line === "00") return falseValue;
  if (line === "01") return trueValue;
  if (!integerText.test(line)) throw machine.damaged("a number is not one");
  return integerValue(Number.parseInt(line.replaceAll("_", ""), 10));
}

function longLine(machine: Machine): Value {
  const line = lineText(machine);
  if (!integerText.test(line)) throw machine.damaged("a number is not one");
  return integerValue(Number.parseInt(line, 10));
}

function floatLine(machine: Machine): Value {
  if (!/^\s*[+-]?(?:\d|\.\d|inf|nan)/iu.test(lineText(machine))) throw machine.damaged("a number is not one");
  return floatValue;
}

/** Little-endian two's complement, exact as far as sizes go. */
function long(bytes: Uint8Array): Value {
  let value = 0;
  for (let index = Math.min(bytes.length, 16) - 1; index >= 0; index -= 1) value = value * 256 + (bytes[index] ?? 0);
  const negative = ((bytes.at(-1) ?? 0) & 128) !== 0;
  return integerValue(negative ? value - 256 ** Math.min(bytes.length, 16) : value);
}

function index(machine: Machine, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw machine.damaged("a memo entry has no number");
  return value;
}

function lineIndex(machine: Machine): number {
  return index(machine, Number(lineText(machine)));
}

function signed32(value: number): number {
  return value > 0x7fffffff ? value - 4294967296 : value;
}

/** A length of 32 bits that some opcodes read as signed. */
function length32(machine: Machine): number {
  const length = machine.reader.u32();
  if (length > 0x7fffffff) throw machine.damaged("a length is negative");
  return length;
}

function bytesOf(machine: Machine, length: number): Value {
  machine.reader.skip(length);
  return bytesValue;
}

function textOf(machine: Machine, length: number): Value {
  if (length <= textBytesMax) return text(machine.reader.take(length));
  machine.reader.skip(length);
  return textValue("".padEnd(textCharactersMax + 1, " "));
}

function newDict(pairs: readonly Value[], machine: Machine): Dict {
  const dict: Dict = { kind: "dict", entries: [] };
  addPairs(dict, pairs, machine);
  return dict;
}

function addPairs(target: Value, pairs: readonly Value[], machine: Machine): void {
  if (pairs.length % 2 !== 0) throw machine.damaged("a key has no value");
  for (let at = 0; at + 1 < pairs.length; at += 2) store(target, { key: pairs[at] ?? noneValue, value: pairs[at + 1] ?? noneValue, machine });
}

function store(target: Value, { key, value, machine }: { readonly key: Value; readonly value: Value; readonly machine: Machine }): void {
  if (target.kind === "dict") setItem(target, key, value);
  else if (target.kind === "global" || target.kind === "storage") machine.report("pickle.mutate", "an imported object is changed while loading");
  else if (target.kind === "tuple" || target.kind === "constant" || target.kind === "set") throw machine.damaged("an item is set in something that has none");
}

function extend(target: Value, values: readonly Value[], machine: Machine): void {
  if (target.kind === "list") append(target, values);
  else if (target.kind === "instance" && mutableSequences.has(target.of)) return;
  else if (target.kind !== "top") machine.report("pickle.mutate", "a method named `append` of an object that is no list would be called");
}

function addTo(target: Value, values: readonly Value[], machine: Machine): void {
  if (target.kind === "set") append(target, values);
  else if (target.kind !== "top") machine.report("pickle.mutate", "a method named `add` of an object that is no set would be called");
}

function items(kind: Items["kind"], values: readonly Value[]): Value {
  const made: Items = { kind, items: [] };
  append(made, values);
  return made;
}

/** POP takes a mark away when there is nothing above it. */
function pop(machine: Machine): void {
  if (machine.marks.length > 0 && machine.stack.length === machine.fence) machine.marks.pop();
  else machine.pop();
}

function last(machine: Machine, count: number): void {
  const values = Array.from({ length: count }, () => machine.pop());
  machine.push(tupleValue(values.toReversed()));
}

const c = (letter: string): number => letter.codePointAt(0) ?? 0;

/** Opcodes that make and move plain values; imports and calls stand in `call-opcodes.ts`. */
export const dataOpcodes: readonly (readonly [number, Opcode])[] = [
  [c("("), (m) => void m.marks.push(m.stack.length)],
  [c("0"), pop],
  [c("1"), (m) => void m.popMark()],
  [c("2"), (m) => m.push(m.peek())],
  [c("F"), (m) => m.push(floatLine(m))],
  [c("I"), (m) => m.push(integerLine(m))],
  [c("J"), (m) => m.push(integerValue(signed32(m.reader.u32())))],
  [c("K"), (m) => m.push(integerValue(m.reader.byte()))],
  [c("M"), (m) => m.push(integerValue(m.reader.u16()))],
  [c("L"), (m) => m.push(longLine(m))],
  [c("N"), (m) => m.push(noneValue)],
  [c("S"), (m) => m.push(quoted(m))],
  [c("T"), (m) => m.push(textOf(m, length32(m)))],
  [c("U"), (m) => m.push(textOf(m, m.reader.byte()))],
  [c("V"), (m) => m.push(rawUnicode(m))],
  [c("X"), (m) => m.push(textOf(m, m.reader.u32()))],
  [c("G"), (m) => (m.reader.skip(8), m.push(floatValue))],
  [c("B"), (m) => m.push(bytesOf(m, m.reader.u32()))],
  [c("C"), (m) => m.push(bytesOf(m, m.reader.byte()))],
  [0x88, (m) => m.push(trueValue)],
  [0x89, (m) => m.push(falseValue)],
  [0x8a, (m) => m.push(long(m.reader.take(m.reader.byte())))],
  [0x8b, (m) => m.push(long(m.reader.take(length32(m))))],
  [0x8c, (m) => m.push(textOf(m, m.reader.byte()))],
  [0x8d, (m) => m.push(textOf(m, m.reader.u64()))],
  [0x8e, (m) => m.push(bytesOf(m, m.reader.u64()))],
  [0x96, (m) => m.push(bytesOf(m, m.reader.u64()))],
  [c(")"), (m) => m.push(tupleValue([]))],
  [c("t"), (m) => m.push(tupleValue(m.popMark()))],
  [0x85, (m) => last(m, 1)],
  [0x86, (m) => last(m, 2)],
  [0x87, (m) => last(m, 3)],
  [c("]"), (m) => m.push({ kind: "list", items: [] })],
  [c("l"), (m) => m.push(items("list", m.popMark()))],
  [c("a"), (m) => { const value = m.pop(); extend(m.peek(), [value], m); }],
  [c("e"), (m) => { const values = m.popMark(); extend(m.peek(), values, m); }],
  [c("}"), (m) => m.push({ kind: "dict", entries: [] })],
  [c("d"), (m) => m.push(newDict(m.popMark(), m))],
  [c("s"), (m) => { const value = m.pop(); const key = m.pop(); store(m.peek(), { key, value, machine: m }); }],
  [c("u"), (m) => { const pairs = m.popMark(); addPairs(m.peek(), pairs, m); }],
  [0x8f, (m) => m.push({ kind: "set", items: [] })],
  [0x90, (m) => { const values = m.popMark(); addTo(m.peek(), values, m); }],
  [0x91, (m) => { m.popMark(); m.push({ kind: "instance", of: "builtins frozenset" }); }],
  [c("g"), (m) => m.recall(lineIndex(m))],
  [c("h"), (m) => m.recall(m.reader.byte())],
  [c("j"), (m) => m.recall(m.reader.u32())],
  [c("p"), (m) => m.memoize(lineIndex(m), m.peek())],
  [c("q"), (m) => m.memoize(m.reader.byte(), m.peek())],
  [c("r"), (m) => m.memoize(m.reader.u32(), m.peek())],
  [0x94, (m) => m.memoize(m.memo.size, m.peek())],
  [0x80, (m) => { m.protocol = m.reader.byte(); if (m.protocol > 5) throw m.damaged(`protocol ${m.protocol} does not exist`); }],
  [0x95, (m) => { if (m.reader.u64() > m.reader.left) throw m.damaged("a frame is longer than the data"); }],
];
