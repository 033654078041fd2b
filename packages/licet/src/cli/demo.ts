import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { LicetError } from "@licet/contract";
import { startServer, type RunningServer } from "../server/start.ts";
import { meetTheCast } from "./demo/cast.ts";
import { helpdeskStory } from "./demo/helpdesk.ts";
import { narrator } from "./demo/narrator.ts";
import { proofStory } from "./demo/proof.ts";
import { startSimulator, type Simulator } from "./demo/simulator.ts";
import { tumourStory } from "./demo/tumour.ts";
import { exitCodes, type ExitCode } from "./failure.ts";
import { untilStopped } from "./serve.ts";
import type { Terminal } from "./terminal.ts";

interface DemoOptions {
  readonly dir?: string;
  readonly port: number;
  readonly dataPort: number;
  readonly host: string;
  readonly exit?: boolean;
}

/** The examples lie in the repository, not in the published package. */
function examplesFolder(): string {
  for (let at = import.meta.dirname; dirname(at) !== at; at = dirname(at)) {
    const folder = join(at, "examples");
    if (existsSync(join(folder, "helpdesk-assistant", "licet.yaml"))) return folder;
  }
  throw new LicetError("file_unreadable", { message: "the folder `examples` is not here: run the demo in a clone of the repository" });
}

interface Telling {
  readonly server: RunningServer;
  readonly terminal: Terminal;
  readonly folder: string;
  readonly examples: string;
  readonly simulator: Simulator;
  /** The server stops after the story: nobody can sign in any more. */
  readonly last: boolean;
}

async function tell({ server, terminal, folder, examples, simulator, last }: Telling): Promise<void> {
  const say = narrator(terminal);
  say.title("Licet demo: two real pilots, from declared to governed");
  say.text(`Everything below goes through the public interfaces of the server at ${server.consoleUrl}. Data and keys in ${folder}.`);
  say.text("The language model is a labelled simulator with canned answers; the classifier, its data and its checks are real.");
  const cast = await meetTheCast(server, simulator.baseUrl, say);
  const stage = { server, cast, say, examples, folder, simulator };
  await helpdeskStory(stage);
  await tumourStory(stage);
  await proofStory(stage);
  if (last) return;
  say.title("Look around");
  say.text(`page        ${server.consoleUrl}`);
  for (const person of cast.people) say.text(`sign in     ${person.email.padEnd(26)} ${person.password}   (${person.roles.join(", ")})`);
}

/** Plays the story and leaves the server running. Roles are marked as given in the demo: elsewhere they count after a day. */
export async function runDemo(options: DemoOptions, terminal: Terminal): Promise<ExitCode> {
  const folder = options.dir ?? mkdtempSync(join(tmpdir(), "licet-demo-"));
  const server = await startServer({ directory: join(folder, "data"), keysDirectory: join(folder, "keys"), host: options.host, port: options.port, dataPort: options.dataPort, demo: true, logLevel: "error" });
  const examples = examplesFolder();
  const simulator = await startSimulator(examples).catch(async (error: unknown) => {
    await server.close();
    throw error;
  });
  try {
    await tell({ server, terminal, folder, examples, simulator, last: options.exit === true });
    if (options.exit === true) return exitCodes.fine;
    const stopped = untilStopped(server);
    terminal.out("\nThe server keeps running; Ctrl-C stops it.");
    await stopped;
    return exitCodes.fine;
  } finally {
    simulator.stop();
    await server.close();
  }
}
