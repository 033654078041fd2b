import type { Command } from "commander";
import type { Terminal } from "./terminal.ts";
import { withServer } from "./server-option.ts";

export function addProofCommands(root: Command, terminal: Terminal): void {
  const trust = root.command("trust").description("what a verifier must be given over another channel");
  withServer(trust.command("export"))
    .description("writes the trust file and prints its fingerprint")
    .requiredOption("--out <file>", "where to write it")
    .option("--force", "write over an existing file")
    .action(async (options) => {
      const { runTrustExport } = await import("./prove.ts");
      process.exitCode = await runTrustExport(options, terminal);
    });
  const audit = root.command("audit").description("audit packs");
  withServer(audit.command("export"))
    .description("writes a folder that a stranger verifies offline: never the trust file, never the verifier")
    .requiredOption("--out <folder>", "a new folder")
    .option("--system <name>", "one system only")
    .action(async (options) => {
      const { runAuditExport } = await import("./prove.ts");
      process.exitCode = await runAuditExport(options, terminal);
    });
}
