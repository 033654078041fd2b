import { writeFileSync } from "node:fs";
import { exitCodes, type ExitCode } from "./failure.ts";
import { writeTrust } from "./prove.ts";
import { connect, type ServerOptions } from "./session.ts";
import { columns, painted, timeText, type Terminal } from "./terminal.ts";

export async function runGatewayAdd(name: string, options: ServerOptions & { readonly tokenFile?: string }, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const { gateway, token, expiresAt } = await client("addGateway", { params: { space }, body: { name } });
  terminal.out(`${gateway.name} (${gateway.id}) may join the space ${space} until ${timeText(expiresAt)}, once`);
  if (options.tokenFile === undefined) terminal.out(`join token, shown once: ${painted(terminal, "bold", token)}`);
  else {
    writeFileSync(options.tokenFile, `${token}\n`, { mode: 0o600, flag: "wx" });
    terminal.out(`the token is in ${options.tokenFile}`);
  }
  terminal.out(`on the gateway's machine: \`licet serve --role gateway --control URL --join-token ${options.tokenFile ?? "FILE"} --dir DIR\`, where URL is the control plane's data plane`);
  return exitCodes.fine;
}

export async function runGatewayList(options: ServerOptions, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const { items } = await client("listGateways", { params: { space } });
  if (items.length === 0) {
    terminal.out("no gateway beside the control plane's own: `licet gateway add NAME`");
    return exitCodes.fine;
  }
  const rows = items.map((item) => [item.name, item.state, item.connected ? "open" : "cut", String(item.taken), item.seenAt === null ? "never" : timeText(item.seenAt), item.log ?? "-"]);
  terminal.out(columns([["GATEWAY", "STATE", "FEED", "RECORDS", "LAST", "LOG"], ...rows]));
  return exitCodes.fine;
}

export async function runGatewayRemove(name: string, options: ServerOptions & { readonly reason: string }, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  await client("removeGateway", { params: { space, gateway: name }, body: { reason: options.reason } });
  terminal.out(`${name} gets no snapshot any more; records that it had not sent stay in its own directory`);
  return exitCodes.fine;
}

export async function runGatewayTrust(name: string, options: ServerOptions & { readonly out: string }, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const { trust, fingerprint, entry } = await client("showGatewayTrust", { params: { space, gateway: name } });
  writeTrust(options.out, trust);
  terminal.out(`wrote ${options.out}: for the log of ${name} alone`);
  terminal.out(`fingerprint ${fingerprint}, recorded in entry ${entry}; the gateway prints it at its start`);
  return exitCodes.fine;
}
