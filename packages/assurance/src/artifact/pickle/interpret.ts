import { Damaged } from "../source.ts";
import { callOpcodes } from "./call-opcodes.ts";
import { dataOpcodes, type Opcode } from "./data-opcodes.ts";
import { Machine, type MachineOptions } from "./machine.ts";
import type { Value } from "./value.ts";

const stop = 0x2e;
const stackMax = 8_000_000;
const opcodes: readonly (Opcode | undefined)[] = (() => {
  const table: (Opcode | undefined)[] = Array.from({ length: 256 }, () => undefined);
  for (const [code, opcode] of [...dataOpcodes, ...callOpcodes]) table[code] = opcode;
  return table;
})();

export interface Interpretation {
  /** `stop`: read to its end. `damaged`: Python would raise here, after everything before it has happened. */
  readonly ended: "stop" | "damaged" | "steps";
  readonly what: string;
  /** Where the fault is, or the byte after STOP. */
  readonly at: number;
  readonly value: Value | undefined;
  readonly imports: number;
  readonly calls: number;
  readonly protocol: number;
  readonly opcodes: number;
  readonly firstArray: Machine["firstArray"];
}

/**
 * Runs one pickle stream over abstract values. Everything that loading would import, call or change is judged on the
 * way, also when the stream breaks off later: Python executes opcode by opcode.
 */
export function interpret(options: MachineOptions, resumed?: NonNullable<Machine["firstArray"]>): Interpretation {
  const machine = new Machine(options);
  if (resumed !== undefined) {
    machine.stack = [...resumed.stack];
    machine.marks = [...resumed.marks];
    machine.memo = new Map(resumed.memo);
  }
  const tally = { opcodes: 0 };
  const end = (ended: Interpretation["ended"], what: string, value?: Value): Interpretation => ({
    ended, what, value, at: ended === "stop" ? options.reader.at : machine.opcodeAt, imports: machine.imports, calls: machine.calls, protocol: machine.protocol, opcodes: tally.opcodes, firstArray: machine.firstArray,
  });
  try {
    return run(machine, tally, end);
  } catch (fault) {
    if (!(fault instanceof Damaged)) throw fault;
    return end("damaged", fault.message);
  }
}

function run(machine: Machine, tally: { opcodes: number }, end: (ended: Interpretation["ended"], what: string, value?: Value) => Interpretation): Interpretation {
  const { reader } = machine.options;
  for (;;) {
    machine.opcodeAt = reader.at;
    const code = reader.byte();
    if (code === stop) return end("stop", "", machine.pop());
    const opcode = opcodes[code];
    if (opcode === undefined) throw machine.damaged(`there is no opcode 0x${code.toString(16).padStart(2, "0")}`);
    tally.opcodes += 1;
    if (machine.stack.length > stackMax || machine.memo.size > stackMax) return end("steps", "the pickle holds more values than a scan may keep");
    if (!machine.options.step()) return end("steps", "the pickle has more opcodes than a scan may follow");
    opcode(machine);
    const top = machine.stack.at(-1);
    if (top?.kind === "instance" && top.of === "numpy ndarray pickled") nested(machine);
  }
}

/** An array of objects inside joblib's stream: a whole pickle of its own, with its own stack and memo. */
function nested(machine: Machine): void {
  machine.stack.pop();
  const inner = interpret({ ...machine.options, inlineArrays: false, torch: false });
  machine.imports += inner.imports;
  machine.calls += inner.calls;
  if (inner.ended !== "stop") throw machine.damaged(`inside an array of objects: ${inner.what}`);
  machine.push({ kind: "instance", of: "numpy ndarray" });
}
