import { parseArgs } from "node:util";
import { fromUtf8 } from "./bytes.ts";
import { canonicalize } from "./canonical.ts";
import { packInFolder, readBounded } from "./verify/folder.ts";
import { verifyPack } from "./verify/pack.ts";
import { formatReport, printable, type Report } from "./verify/report.ts";

/** 0 verified, 1 a check failed, 2 wrong use, 3 could not run. */
export type ExitCode = 0 | 1 | 2 | 3;

const usage = `usage: licet-verify DIR --trust FILE [--json] [--old CHECKPOINT]

Verifies an export offline. Prints one line per check.
  --trust FILE       whom to believe; it comes over another channel than the export
  --old CHECKPOINT   a checkpoint kept from before: shows whether the log's past was changed
  --json             one JSON object instead of lines
Exit status: 0 verified, 1 a check failed, 2 wrong use, 3 could not run
`;

const trustBytesMax = 1 << 20;
const checkpointBytesMax = 1 << 20;

/** The command line of the verifier, without the program's name. Writes to the standard streams of the process. */
export async function main(args: readonly string[]): Promise<ExitCode> {
  const asked = parseArguments(args);
  if (asked === "help") return say(usage, 0);
  if (typeof asked === "string") return complain(`error[usage]: ${asked}\n\n${usage}`, 2);
  try {
    return await run(asked);
  } catch (error) {
    return complain(`error[unreadable]: ${error instanceof Error ? error.message : "unknown failure"}\n`, 3);
  }
}

interface Asked {
  readonly folder: string;
  readonly trust: string;
  readonly json: boolean;
  readonly old: string | undefined;
}

function parseArguments(args: readonly string[]): Asked | string {
  const options = { trust: { type: "string" }, old: { type: "string" }, json: { type: "boolean" }, help: { type: "boolean", short: "h" } } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    if (values.help === true) return "help";
    const [folder] = positionals;
    if (folder === undefined || positionals.length !== 1) return "name one folder that holds an export";
    if (values.trust === undefined) return "name the trust file with --trust; an export cannot vouch for itself";
    return { folder, trust: values.trust, json: values.json === true, old: values.old };
  } catch (error) {
    return error instanceof Error ? error.message : "the arguments cannot be read";
  }
}

async function run(asked: Asked): Promise<ExitCode> {
  const source = packInFolder(asked.folder);
  await source.list();
  const trust = fromUtf8(await readNamed(asked.trust, trustBytesMax));
  const old = asked.old === undefined ? {} : { old: await readNamed(asked.old, checkpointBytesMax) };
  const report = await verifyPack({ source, trust: trust.ok ? trust.value : "", ...old });
  return say(asked.json ? `${jsonOf(report)}\n` : formatReport(report), report.verified ? 0 : 1);
}

async function readNamed(path: string, bytesMax: number): Promise<Uint8Array> {
  const bytes = await readBounded(path, bytesMax);
  if (bytes === undefined) throw new Error(`\`${path}\` is missing or larger than ${bytesMax} bytes`);
  return bytes;
}

/** What an export says may hold broken text, which canonical JSON cannot carry. */
function jsonOf({ verified, fingerprint, findings }: Report): string {
  return canonicalize({ verified, fingerprint, findings: findings.map((finding) => ({ ...finding, sentence: printable(finding.sentence) })) });
}

function say(text: string, code: ExitCode): ExitCode {
  process.stdout.write(text);
  return code;
}

function complain(text: string, code: ExitCode): ExitCode {
  process.stderr.write(text);
  return code;
}
