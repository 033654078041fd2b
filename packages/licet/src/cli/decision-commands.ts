import type { Command } from "commander";
import { withServer } from "./server-option.ts";
import type { Terminal } from "./terminal.ts";
import { wholeNumber } from "./whole-number.ts";

function addClients(decision: Command, terminal: Terminal): void {
  const client = decision.command("client").description("programs that ask for decisions about an application");
  withServer(client.command("issue"))
    .description("issues a token; it is shown once")
    .argument("<name>", "what the program is called")
    .option("--days <n>", "how long it is good for", wholeNumber(1, 730), 90)
    .action(async (name: string, options) => {
      const { runClientIssue } = await import("./decision.ts");
      process.exitCode = await runClientIssue(name, options, terminal);
    });
  withServer(client.command("list"))
    .description("who may ask, newest first")
    .action(async (options) => {
      const { runClientList } = await import("./decision.ts");
      process.exitCode = await runClientList(options, terminal);
    });
  withServer(client.command("revoke"))
    .description("revokes a token, from the next second on")
    .argument("<id>", "the client's id")
    .requiredOption("--reason <text>", "why; it is recorded")
    .action(async (id: string, options) => {
      const { runClientRevoke } = await import("./decision.ts");
      process.exitCode = await runClientRevoke(id, options, terminal);
    });
}

function addData(decision: Command, terminal: Terminal): void {
  const data = decision.command("data").description("what application policies know of subjects and resources");
  withServer(data.command("put"))
    .description("puts entities in, or replaces them")
    .argument("<file>", "JSON: a list of entities in Cedar's form (- for standard input)")
    .action(async (file: string, options) => {
      const { runDataPut } = await import("./decision.ts");
      process.exitCode = await runDataPut(file, options, terminal);
    });
  withServer(data.command("remove"))
    .description("takes an entity out")
    .argument("<type>", "its Cedar type, such as Shop::Customer")
    .argument("<id>", "its id")
    .action(async (type: string, id: string, options) => {
      const { runDataRemove } = await import("./decision.ts");
      process.exitCode = await runDataRemove({ type, id }, options, terminal);
    });
  withServer(data.command("list"))
    .description("the entities, by type and id")
    .option("--type <name>", "of one Cedar type")
    .option("--search <text>", "whose id holds this")
    .action(async (options) => {
      const { runDataList } = await import("./decision.ts");
      process.exitCode = await runDataList(options, terminal);
    });
}

export function addDecisionCommands(root: Command, terminal: Terminal): void {
  const decision = root.command("decision").description("the decision API: who may ask it, and what it knows");
  addClients(decision, terminal);
  addData(decision, terminal);
}
