import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RepeatView } from "@licet/contract";
import type { Project } from "../inventory/project.ts";
import { repeatLine } from "./check-attempts.ts";
import { componentFiles } from "./check-files.ts";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { projectHere } from "./project.ts";
import { connect, type Connection, type ServerOptions } from "./session.ts";
import type { Terminal } from "./terminal.ts";

export interface MakingAgain {
  readonly project: Project;
  readonly connection: Pick<Connection, "client">;
  readonly params: { readonly space: string; readonly system: string; readonly ticket: string };
  readonly terminal: Terminal;
}

/** Sends what the server's runner lacks for the drawn check, and waits for what comes out. */
export async function madeAgain({ project, connection: { client }, params, terminal }: MakingAgain, repeat: RepeatView): Promise<RepeatView> {
  const files = Object.values(componentFiles(project));
  for (const { name, digest } of repeat.lacking) {
    const file = files.find((each) => each.digest === digest);
    if (file === undefined) {
      terminal.err(`  ${name} is not here as the release declares it: run \`licet check repeat ${params.ticket}\` where it is`);
      return repeat;
    }
    await client("putDrawnFile", { params: { ...params, digest }, body: readFileSync(join(project.folder, file.path)) });
    terminal.err(`  sent ${name}`);
  }
  return (await client("repeatDrawn", { params, body: {} })).repeat ?? repeat;
}

interface RepeatOptions extends ServerOptions {
  readonly dir: string;
}

/** Has the server make the drawn check of a returned ticket again, where that was not done when it came back. */
export async function runCheckRepeat(ticket: string, options: RepeatOptions, terminal: Terminal): Promise<ExitCode> {
  const { project } = projectHere({ ...options });
  if (project === undefined) throw new UsageError("run in the folder of licet.yaml");
  const connection = connect(options);
  const params = { space: connection.space, system: project.manifest.name, ticket };
  const { repeat } = await connection.client("repeatDrawn", { params, body: {} });
  if (repeat === null) {
    terminal.out("nothing of this ticket is to be made again: a check is drawn from what a CI returned at a high tier, where files alone decide it");
    return exitCodes.fine;
  }
  const outcome = repeat.lacking.length === 0 ? repeat : await madeAgain({ project, connection, params, terminal }, repeat);
  terminal.out(repeatLine(outcome));
  return outcome.state === "agrees" ? exitCodes.fine : exitCodes.findings;
}
