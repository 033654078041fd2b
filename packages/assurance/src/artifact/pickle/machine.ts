import type { ArtifactRule } from "../rules.ts";
import { type ByteReader, Damaged } from "../source.ts";
import type { Role } from "./allow-list.ts";
import { type Dict, type Items, type Value, itemsMax, textIn } from "./value.ts";

/** Where findings go: the layer, or a list while it is not known yet whether this is a pickle at all. */
export interface PickleSink {
  report(rule: ArtifactRule, what: string, offset: number): void;
  imports(module: string, name: string): void;
}

export interface MachineOptions {
  readonly reader: ByteReader;
  readonly sink: PickleSink;
  readonly roles: ReadonlyMap<string, Role>;
  /** Persistent ids name storages of tensors. Elsewhere nobody can resolve them, so they are refused. */
  readonly torch: boolean;
  /** Classes of the archive's own TorchScript, which no Python imports. */
  readonly script?: boolean;
  /** Arrays may follow their wrapper as raw bytes. */
  readonly inlineArrays: boolean;
  /** Called with the storages that tensors are made of. */
  readonly storage?: (key: string, bytes: number) => void;
  step(): boolean;
}

export const textLineBytesMax = 1 << 28;

/**
 * State of Python's unpickling machine over abstract values: stack, marks and memo as in CPython 3.12
 * (Modules/_pickle.c), where a mark fences the stack and MEMOIZE stores at the number of memo entries.
 */
export class Machine {
  readonly reader: ByteReader;
  readonly options: MachineOptions;
  stack: Value[] = [];
  marks: number[] = [];
  memo = new Map<number, Value>();
  protocol = 0;
  /** Offset of the opcode at work. */
  opcodeAt = 0;
  /** Names looked up and calls made: what tells a pickle from a text that resembles one. */
  imports = 0;
  calls = 0;
  /** Where the first raw array stands, for a reader that knows nothing of raw arrays would go on there. */
  firstArray: { readonly at: number; readonly stack: Value[]; readonly marks: number[]; readonly memo: Map<number, Value> } | undefined;

  constructor(options: MachineOptions) {
    this.options = options;
    this.reader = options.reader;
  }

  report(rule: ArtifactRule, what: string): void {
    this.options.sink.report(rule, what, this.opcodeAt);
  }

  damaged(what: string): Damaged {
    return new Damaged(what, this.opcodeAt);
  }

  push(value: Value): void {
    this.stack.push(value);
  }

  get fence(): number {
    return this.marks.at(-1) ?? 0;
  }

  pop(): Value {
    const value = this.stack.length > this.fence ? this.stack.pop() : undefined;
    if (value === undefined) throw this.damaged("a value is taken from an empty stack");
    return value;
  }

  peek(): Value {
    const value = this.stack.length > this.fence ? this.stack.at(-1) : undefined;
    if (value === undefined) throw this.damaged("a value is read from an empty stack");
    return value;
  }

  /** The values above the last mark, which goes away. */
  popMark(): Value[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw this.damaged("a mark is missing");
    return this.stack.splice(mark);
  }

  memoize(index: number, value: Value): void {
    this.memo.set(index, value);
  }

  recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw this.damaged(`the memo has no entry ${index}`);
    this.push(value);
  }
}

/** Remembers elements up to a bound; none beyond it can be a callable, since each import was judged when it was made. */
export function append(list: Items, values: readonly Value[]): void {
  for (const value of values) {
    if (list.items.length >= itemsMax) return;
    list.items.push(value);
  }
}

export function setItem(dict: Dict, key: Value, value: Value): void {
  const text = textIn(key);
  if (text !== undefined && /^__.*__$/u.test(text)) dict.special ??= text;
  if (key.kind === "global" || key.kind === "top") dict.special ??= "a key that is no plain value";
  if (dict.entries.length < itemsMax) dict.entries.push([key, value]);
}
