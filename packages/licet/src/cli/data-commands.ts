import { Option, type Command } from "commander";
import type { Terminal } from "./terminal.ts";

function withFiles(command: Command): Command {
  return command
    .requiredOption("--out <file>", "where the new table goes; its lineage goes beside it, as FILE.lineage.json")
    .option("--dir <folder>", "the folder of licet.yaml: then the source is the name of a data set that it declares")
    .option("--force", "write over existing files")
    .option("--json", "the lineage as JSON");
}

function withBudget(command: Command): Command {
  return command
    .requiredOption("--epsilon <n>", "what this run may spend")
    .option("--delta <n>", "chance that the promise does not hold, far below one over the number of people; fixed by the first run")
    .option("--total <epsilon>", "what may ever be spent on this data; fixed by the first run (default: what the first run spends)")
    .option("--budget-file <file>", "where spending is kept (default: beside the source, as SOURCE.privacy-budget.json)");
}

function addAnonymise(data: Command, terminal: Terminal): void {
  withFiles(data.command("anonymise"))
    .description("makes every combination of quasi-identifiers stand for at least k rows")
    .argument("<source>", "a CSV, Parquet or Arrow file; with --dir a declared data set")
    .requiredOption("--quasi <column...>", "columns by which somebody might know a person")
    .option("--k <n>", "fewest rows that share them", "5")
    .option("--diversity <column=l>", "a column of which every group must keep l different values")
    .option("--sensitive <column...>", "columns that nobody should learn: how far groups give them away is measured")
    .option("--drop <column...>", "columns to leave out, such as names and ids")
    .action(async (source: string, options) => {
      const { runAnonymise } = await import("./data-anonymise.ts");
      process.exitCode = await runAnonymise(source, options, terminal);
    });
}

function addSynthesise(data: Command, terminal: Terminal): void {
  withBudget(withFiles(data.command("synthesise")))
    .description("draws a new table from noisy counts of the real one (differential privacy)")
    .argument("<source>", "a CSV, Parquet or Arrow file; with --dir a declared data set")
    .requiredOption("--rows <n>", "rows of the new table")
    .option("--column <column=domain...>", "what may stand in a column: sex=f,m or age=0..119/24 (24 bins) or age=0..119/24/whole")
    .option("--domains <file>", "the same for many columns, as YAML or JSON")
    .action(async (source: string, options) => {
      const { runSynthesise } = await import("./data-synthesise.ts");
      process.exitCode = await runSynthesise(source, options, terminal);
    });
}

function addNoise(data: Command, terminal: Terminal): void {
  withBudget(withFiles(data.command("noise")))
    .description("counts and sums with noise (differential privacy)")
    .argument("<source>", "a CSV, Parquet or Arrow file; with --dir a declared data set")
    .option("--count <column=values...>", "rows with each of these values: illness=flu,cold")
    .option("--sum <column=range...>", "sum of a column, its values moved into the range first: age=0..119")
    .option("--figures <file>", "the same for many figures, as YAML or JSON")
    .addOption(new Option("--mechanism <name>", "which noise").choices(["laplace", "gaussian"]).default("laplace"))
    .action(async (source: string, options) => {
      const { runNoise } = await import("./data-noise.ts");
      process.exitCode = await runNoise(source, options, terminal);
    });
}

export function addDataCommands(root: Command, terminal: Terminal): void {
  const data = root.command("data").description("tables that can be given on: anonymised, synthetic, or figures with noise");
  addAnonymise(data, terminal);
  addSynthesise(data, terminal);
  addNoise(data, terminal);
}
