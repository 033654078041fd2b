import { ProviderKind } from "@licet/contract";
import { exitCodes, type ExitCode } from "./failure.ts";
import { readSecret } from "./login.ts";
import { outcomeOf } from "./people.ts";
import { connect, type ServerOptions } from "./session.ts";
import { columns, type Terminal } from "./terminal.ts";

interface AddOptions extends ServerOptions {
  readonly baseUrl: string;
  readonly vendor: string;
  readonly region: string;
  readonly keyFile?: string;
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly allowPrivate?: boolean;
}

export async function runProviderAdd(id: string, options: AddOptions, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const key = options.keyFile === undefined ? "" : readSecret(options.keyFile);
  const body = { id, kind: ProviderKind.parse(options.kind ?? "openai"), ...(options.apiVersion !== undefined && { apiVersion: options.apiVersion }), baseUrl: options.baseUrl, vendor: options.vendor, region: options.region, key, allowPrivate: options.allowPrivate ?? false };
  const { done, request } = await client("registerProvider", { params: { space }, body });
  terminal.out(done ? `registered ${id} (${outcomeOf(request)})` : `waits for another person's approval (request ${request.id})`);
  return exitCodes.fine;
}

export async function runProviderList(options: ServerOptions, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const { items } = await client("listProviders", { params: { space } });
  if (items.length === 0) {
    terminal.out("no provider yet: `licet provider add ID --base-url … --vendor … --region …`");
    return exitCodes.fine;
  }
  terminal.out(columns([["ID", "KIND", "ADDRESS", "VENDOR", "REGION", "KEY"], ...items.map((item) => [item.id, item.kind, item.baseUrl, item.vendor, item.region, item.hasKey ? "held" : "none"])]));
  return exitCodes.fine;
}
