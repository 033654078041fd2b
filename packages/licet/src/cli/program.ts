import { Command, CommanderError } from "commander";
import { licetVersion } from "../base/version.ts";
import { addBudgetCommands } from "./budget-commands.ts";
import { addCiCommands } from "./ci-commands.ts";
import { addDataCommands } from "./data-commands.ts";
import { addDecisionCommands } from "./decision-commands.ts";
import { addGateCommands } from "./gate-commands.ts";
import { addGatewayCommands } from "./gateway-commands.ts";
import { addKeysCommands } from "./keys-commands.ts";
import { addLogCommands } from "./log-commands.ts";
import { addOrganisationCommands } from "./organisation-commands.ts";
import { addPolicyCommands } from "./policy-commands.ts";
import { addPrivacyCommands } from "./privacy-commands.ts";
import { addProjectCommands } from "./project-commands.ts";
import { addProofCommands } from "./proof-commands.ts";
import { addServerCommands } from "./server-commands.ts";
import { addSpaceCommands } from "./space-commands.ts";
import { addStatementGroups } from "./statement-commands.ts";
import { exitCodes } from "./failure.ts";
import type { Terminal } from "./terminal.ts";
import { addWaiverCommands } from "./waiver-commands.ts";
import { addTrafficCommands } from "./traffic-commands.ts";
import { addWitnessCommands } from "./witness-commands.ts";

/** Commander's own exits become ours: 2 for a call that a command cannot take, 0 for help. */
function exitLikeOurs(error: CommanderError): never {
  process.exit(error.exitCode === 0 ? exitCodes.fine : exitCodes.usage);
}

function settle(command: Command): void {
  command.exitOverride(exitLikeOurs);
  command.showHelpAfterError("(add --help for the options)");
  command.showSuggestionAfterError(true);
  for (const child of command.commands) settle(child);
}

/** The whole command line. Each action imports its work when it runs, so that `licet --help` stays quick. */
export function program(terminal: Terminal): Command {
  const root = new Command("licet")
    .description("From approved to experiment to provably governed to operate.")
    .version(licetVersion)
    .addHelpText("after", "\nExit codes: 0 fine, 1 findings or refused, 2 usage, 3 could not run.\nServer: --url or LICET_URL (default http://127.0.0.1:4400); space: --space or LICET_SPACE (default main).");
  addProjectCommands(root, terminal);
  addDataCommands(root, terminal);
  addCiCommands(root, terminal);
  addGateCommands(root, terminal);
  addWaiverCommands(root, terminal);
  addPolicyCommands(root, terminal);
  addOrganisationCommands(root, terminal);
  addPrivacyCommands(root, terminal);
  addBudgetCommands(root, terminal);
  addSpaceCommands(root, terminal);
  addDecisionCommands(root, terminal);
  addTrafficCommands(root, terminal);
  addProofCommands(root, terminal);
  addLogCommands(root, terminal);
  addStatementGroups(root, terminal);
  addServerCommands(root, terminal);
  addGatewayCommands(root, terminal);
  addKeysCommands(root, terminal);
  addWitnessCommands(root, terminal);
  settle(root);
  return root;
}
