import { readFileSync } from "node:fs";
import { isCancel, password as askPassword, text as askText } from "@clack/prompts";
import { createClient } from "@licet/client";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { connect, dropSession, keepSession, serverUrl, type ServerOptions } from "./session.ts";
import { columns, timeText, type Terminal } from "./terminal.ts";

interface LoginOptions extends ServerOptions {
  readonly email?: string;
  readonly passwordFile?: string;
}

/** `-` is standard input. The last line break is the editor's, not the secret's. */
export function readSecret(file: string): string {
  return readFileSync(file === "-" ? 0 : file, "utf8").replace(/\r?\n$/u, "");
}

async function asked(question: Promise<string | symbol>): Promise<string> {
  const answer = await question;
  if (isCancel(answer) || typeof answer !== "string") throw new UsageError("nothing entered");
  return answer;
}

async function emailOf(options: LoginOptions): Promise<string> {
  if (options.email !== undefined) return options.email;
  if (!process.stdin.isTTY) throw new UsageError("give --email: there is no terminal to ask at");
  return asked(askText({ message: "E-mail" }));
}

async function passwordOf(options: LoginOptions): Promise<string> {
  if (options.passwordFile !== undefined) return readSecret(options.passwordFile);
  if (!process.stdin.isTTY) throw new UsageError("give --password-file: there is no terminal to ask at");
  return asked(askPassword({ message: "Password" }));
}

export async function runLogin(options: LoginOptions, terminal: Terminal): Promise<ExitCode> {
  const url = serverUrl(options);
  const email = await emailOf(options);
  const token = await createClient({ baseUrl: url }).signIn(email, await passwordOf(options));
  keepSession(url, token);
  terminal.out(`signed in to ${url} as ${email}`);
  return exitCodes.fine;
}

export function runLogout(options: ServerOptions, terminal: Terminal): ExitCode {
  dropSession(serverUrl(options));
  terminal.out("signed out");
  return exitCodes.fine;
}

export async function runWhoami(options: ServerOptions, terminal: Terminal): Promise<ExitCode> {
  const { url, client } = connect(options);
  const session = await client("showSession", {});
  if (session.person === null) {
    terminal.out(`not signed in to ${url}: run \`licet login\``);
    return exitCodes.findings;
  }
  terminal.out(
    columns([
      ["server", url],
      ["person", `${session.person.name} <${session.person.email}>`],
      ["signed in", `${session.authenticatedAt === null ? "unknown" : timeText(session.authenticatedAt)} by ${session.method ?? "unknown"}`],
      ...session.spaces.map((member) => [`space ${member.space}`, member.roles.join(", ") || "no role"]),
    ]),
  );
  return exitCodes.fine;
}
