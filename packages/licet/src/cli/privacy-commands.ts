import { InvalidArgumentError, Option, type Command } from "commander";
import type { Terminal } from "./terminal.ts";
import { withServer } from "./server-option.ts";
import { wholeNumber } from "./whole-number.ts";

/** A day or a moment in UTC; what is neither is wrong use, before anything has started. */
function date(text: string): number {
  const time = /^\d{4}-\d{2}-\d{2}(?:T[\d:.]+Z)?$/u.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new InvalidArgumentError("not a date such as 2026-11-01");
  return time;
}

const retention = (flag: string): Option => new Option(`${flag} <class>`, "with --system: which of its content").choices(["runtime", "content"]);

function addSettings(root: Command, terminal: Terminal): void {
  const privacy = root.command("privacy").description("what is recorded of calls, and how long it is kept");
  withServer(privacy.command("show"))
    .description("content modes, retention, and the keys that stand for what is kept")
    .option("--json", "as JSON")
    .action(async (options) => {
      const { runPrivacyShow } = await import("./privacy.ts");
      process.exitCode = await runPrivacyShow(options, terminal);
    });
  withServer(privacy.command("set"))
    .description("changes content modes and retention: a gate move")
    .option("--mode <class=mode...>", "public, internal, confidential, personal or special (or all) = none, digest, redacted or encrypted")
    .option("--runtime-days <n>", "how long decisions and outcomes are kept after the end of their month", wholeNumber(1, 36_500))
    .option("--content-days <n>", "how long recorded prompts and answers are kept after the end of their month", wholeNumber(1, 36_500))
    .action(async (options) => {
      const { runPrivacySet } = await import("./privacy.ts");
      process.exitCode = await runPrivacySet(options, terminal);
    });
}

function addErasures(root: Command, terminal: Terminal): void {
  withServer(root.command("erase"))
    .description("destroys the keys of what is named, for ever: a gate move")
    .option("--person <id>", "somebody with an account: name, e-mail address, sign-ins, roles")
    .option("--user <id>", "an end user, as calling programs name them: their recorded prompts and answers")
    .option("--system <name>", "what a system did at run time, or what was said in it: with --class")
    .addOption(retention("--class"))
    .option("--before <date>", "only months that ended by then (UTC)", date)
    .option("--basis <text>", "why; it is kept, so it names nobody")
    .option("--dry-run", "say how many keys and entries it would touch, and change nothing")
    .action(async (options) => {
      const { runErase } = await import("./privacy.ts");
      process.exitCode = await runErase(options, terminal);
    });
  withServer(root.command("erasures"))
    .description("erasures on request and by schedule, newest first")
    .option("--limit <n>", "how many", wholeNumber(1, 200))
    .option("--cursor <id>", "go on after this one")
    .option("--json", "as JSON")
    .action(async (options) => {
      const { runErasures } = await import("./privacy.ts");
      process.exitCode = await runErasures(options, terminal);
    });
}

export function addPrivacyCommands(root: Command, terminal: Terminal): void {
  addSettings(root, terminal);
  addErasures(root, terminal);
}
