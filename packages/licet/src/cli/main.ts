import { program } from "./program.ts";
import { reportFailure } from "./failure.ts";
import { processTerminal } from "./terminal.ts";

try {
  await program(processTerminal).parseAsync(process.argv);
} catch (error) {
  process.exitCode = reportFailure(processTerminal, error);
}
