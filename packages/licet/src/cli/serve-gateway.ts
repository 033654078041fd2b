import { startGatewayRole, type RunningGateway } from "../server/gateway-role.ts";
import { exitCodes, type ExitCode } from "./failure.ts";
import { readSecret } from "./login.ts";
import { untilStopped } from "./serve.ts";
import { painted, type Terminal } from "./terminal.ts";

interface GatewayOptions {
  readonly dir: string;
  readonly keys?: string;
  readonly host: string;
  readonly dataPort: number;
  readonly trustedProxy?: string;
  readonly logLevel: "info" | "error" | "silent";
  readonly passphraseFile?: string;
  readonly control?: string;
  readonly controlCa?: string;
  readonly joinToken?: string;
  readonly otlpEndpoint?: string;
  readonly metricsPort?: number;
}

function greet(gateway: RunningGateway, terminal: Terminal): void {
  terminal.out(`licet gateway ${gateway.name} of the space ${gateway.space}, with a log of ${gateway.entries} ${gateway.entries === 1 ? "entry" : "entries"}`);
  terminal.out(`  data plane         ${painted(terminal, "bold", gateway.dataUrl)}`);
  terminal.out(`  control plane      ${gateway.control}`);
  terminal.out(`  log                ${gateway.origin}`);
  terminal.out(`  log key            ${gateway.vkey}`);
  terminal.out(`  trust fingerprint  ${gateway.trustFingerprint}`);
  terminal.out(`  keys               ${gateway.keysDirectory}`);
  terminal.out("\nCtrl-C stops it. It denies every call while its control plane is out of reach.");
}

export async function runServeGateway(options: GatewayOptions, terminal: Terminal): Promise<ExitCode> {
  const gateway = await startGatewayRole({
    directory: options.dir,
    keysDirectory: options.keys,
    host: options.host,
    port: options.dataPort,
    trustedProxy: options.trustedProxy,
    logLevel: options.logLevel,
    passphraseFile: options.passphraseFile,
    otlpEndpoint: options.otlpEndpoint,
    otlpHeaders: process.env["LICET_OTLP_HEADERS"],
    metricsPort: options.metricsPort,
    control: options.control,
    controlCa: options.controlCa,
    joinToken: options.joinToken === undefined ? undefined : readSecret(options.joinToken),
  });
  const stopped = untilStopped(gateway);
  greet(gateway, terminal);
  try {
    await stopped;
    terminal.out("stopping: finishing what runs, then closing the log");
  } finally {
    await gateway.close();
  }
  terminal.out("stopped");
  return exitCodes.fine;
}
