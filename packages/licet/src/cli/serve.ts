import { LicetError } from "@licet/contract";
import { runnerSettings } from "../assurance/runner-settings.ts";
import { readMembership } from "../fleet/membership.ts";
import { keysDirectory } from "../ledger/keys.ts";
import { startServer, type RunningServer } from "../server/start.ts";
import { exitCodes, type ExitCode } from "./failure.ts";
import { painted, timeText, type Terminal } from "./terminal.ts";
import { readWitnessPolicy } from "./witness-policy.ts";

interface ServeOptions {
  readonly role: "control" | "gateway";
  readonly control?: string;
  readonly controlCa?: string;
  readonly joinToken?: string;
  readonly dir: string;
  readonly keys?: string;
  readonly host: string;
  readonly port: number;
  readonly dataPort: number;
  readonly trustedProxy?: string;
  readonly logLevel: "info" | "error" | "silent";
  readonly witnessPolicy?: string;
  readonly acceptUnwitnessed?: string;
  readonly passphraseFile?: string;
  readonly timestampUrl?: string;
  readonly timestampAllowPrivate?: boolean;
  readonly extAuthzPort?: number;
  readonly otlpEndpoint?: string;
  readonly metricsPort?: number;
  readonly runner?: string;
}

function greet(server: RunningServer, terminal: Terminal): void {
  const bold = (text: string): string => painted(terminal, "bold", text);
  terminal.out(`licet serves a record of ${server.entries} ${server.entries === 1 ? "entry" : "entries"}`);
  terminal.out(`  page               ${bold(server.consoleUrl)}`);
  terminal.out(`  data plane         ${server.dataUrl}`);
  if (server.extAuthz !== undefined) terminal.out(`  Envoy ext_authz    grpc://${server.extAuthz}`);
  if (server.metricsUrl !== undefined) terminal.out(`  metrics            ${server.metricsUrl}`);
  terminal.out(`  log                ${server.origin}`);
  terminal.out(`  log key            ${server.vkey}`);
  terminal.out(`  trust fingerprint  ${server.trustFingerprint}`);
  terminal.out(`  keys               ${server.keysDirectory}`);
  const none = "none: rollback is not detectable without an earlier checkpoint";
  terminal.out(`  witnesses          ${server.witnesses === 0 ? none : `${server.witnesses} in the policy; the page shows which have signed`}`);
  if (server.setup !== undefined) {
    terminal.out(`\n  set up the first account, once, from this machine, until ${timeText(server.setup.expiresAt)}:`);
    terminal.out(`  ${bold(server.setup.url)}`);
  }
  terminal.out("\nCtrl-C stops it.");
}

/** Resolves when a person or the system asks the process to stop; rejects when it must stop by itself. */
export async function untilStopped(server: Pick<RunningServer, "failed">): Promise<void> {
  let asked: () => void = () => {};
  const stop = new Promise<"asked">((resolve) => {
    asked = () => resolve("asked");
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, asked);
  try {
    const outcome = await Promise.race([stop, server.failed.then((error) => ({ error }))]);
    if (outcome !== "asked") throw outcome.error;
  } finally {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.removeListener(signal, asked);
  }
}

/** A gateway's log must not take up governance. */
async function refuseGatewayDirectory({ dir, keys }: ServeOptions): Promise<void> {
  const membership = await readMembership(keys ?? keysDirectory({ dataDirectory: dir, env: process.env }));
  if (membership !== undefined) throw new LicetError("gateway_directory", { message: `\`${dir}\` is the directory of the gateway \`${membership.name}\`` });
}

export async function runServe(options: ServeOptions, terminal: Terminal): Promise<ExitCode> {
  if (options.role === "gateway") {
    const { runServeGateway } = await import("./serve-gateway.ts");
    return runServeGateway(options, terminal);
  }
  await refuseGatewayDirectory(options);
  const server = await startServer({
    directory: options.dir,
    keysDirectory: options.keys,
    host: options.host,
    port: options.port,
    dataPort: options.dataPort,
    trustedProxy: options.trustedProxy,
    logLevel: options.logLevel,
    passphraseFile: options.passphraseFile,
    timestampUrl: options.timestampUrl,
    timestampAllowPrivate: options.timestampAllowPrivate,
    extAuthzPort: options.extAuthzPort,
    otlpEndpoint: options.otlpEndpoint,
    // Headers carry secrets, which have no place on a command line.
    otlpHeaders: process.env["LICET_OTLP_HEADERS"],
    metricsPort: options.metricsPort,
    runner: runnerSettings(options.runner),
    witnessPolicy: await readWitnessPolicy(options.witnessPolicy),
    acceptUnwitnessed: options.acceptUnwitnessed,
  });
  // Listening for Ctrl-C before it is announced: a signal that comes at once must stop it cleanly too.
  const stopped = untilStopped(server);
  greet(server, terminal);
  try {
    await stopped;
    terminal.out("stopping: finishing what runs, then closing the log");
  } finally {
    await server.close();
  }
  terminal.out("stopped");
  return exitCodes.fine;
}
