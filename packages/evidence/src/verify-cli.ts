import { parseArgs } from "node:util";
import { fromUtf8 } from "./bytes.ts";
import { canonicalize } from "./canonical.ts";
import { readBounded } from "./verify/folder.ts";
import { logAtUrl } from "./verify/http.ts";
import { formatReport, printable, type Report } from "./verify/report.ts";
import { isUrl, verifyTarget } from "./verify/target.ts";
import { readWatching, runWatch, type Watching } from "./verify/watching.ts";

/** 0 verified, 1 a check failed or an alarm, 2 wrong use, 3 could not run. */
export type ExitCode = 0 | 1 | 2 | 3;

const usage = `usage: licet-verify TARGET --trust FILE [options]
       licet-verify --watch URL --state FILE --trust FILE [options]

Verifies without server, secret or dependency. Prints one line per check.
TARGET is one of
  the folder of an export                 every file, entry, statement and authorization
  the folder or URL of a log              every entry and every hash, such as http://host:4401/log
  a .tlog-proof file                      with --entry FILE or --leaf-hash HEX
  a JSON file with a signed statement     a DSSE envelope or a Sigstore bundle

  --trust FILE         whom to believe; it comes over another channel than the target
  --old CHECKPOINT     a checkpoint kept from before: shows whether the log's past was changed
  --minimum-index N    entries below N may be pruned, whatever the log itself declares
  --entry FILE         the entry that a proof is about, exactly as logged
  --leaf-hash HEX      or its leaf hash
  --json               one JSON object instead of lines; with --watch one for each event

  --watch URL          keeps the last verified checkpoint and proves each newer one against it
  --state FILE         where it is kept; on an alarm the signed notes are saved beside it
  --interval SECONDS   between rounds, 60
  --once               one round
  --patience ROUNDS    rounds in a row without an answer before it gives up, 5
  --witness-age SECONDS  warns when the witnesses' quorum is older, 86400

Exit status: 0 verified, 1 a check failed (with --watch: rollback or fork), 2 wrong use, 3 could not run or was not reachable
Bounds: trust file and checkpoint 1 MiB, proof 1 MiB, bundle 16 MiB, entry 64 KiB; export 200,000 files of 64 MiB;
log 1,000 shards, tiles and bundles as C2SP tlog-tiles bounds them; an HTTP answer within 30 seconds, no redirects
`;

const trustBytesMax = 1 << 20;
const checkpointBytesMax = 1 << 20;
const entryBytesMax = 65_535;

/** Where text goes: what was asked for, and complaints. */
export interface Streams {
  out(text: string): void;
  err(text: string): void;
}

const standardStreams: Streams = { out: (text) => void process.stdout.write(text), err: (text) => void process.stderr.write(text) };

/** The command line of the verifier, without the program's name. */
export async function main(args: readonly string[], streams: Streams = standardStreams): Promise<ExitCode> {
  const asked = parseArguments(args);
  if (asked === "help") return say(streams, usage, 0);
  if (typeof asked === "string") return complain(streams, `error[usage]: ${printable(asked)}\n\n${usage}`, 2);
  try {
    return await run(asked, streams);
  } catch (error) {
    return complain(streams, `error[unreadable]: ${printable(error instanceof Error ? error.message : "unknown failure")}\n`, 3);
  }
}

interface Asked {
  readonly target: string;
  readonly trust: string;
  readonly json: boolean;
  readonly old: string | undefined;
  readonly minimumIndex: number | undefined;
  readonly entry: string | undefined;
  readonly leafHash: string | undefined;
  readonly watching: Watching | undefined;
}

const options = {
  trust: { type: "string" },
  old: { type: "string" },
  "minimum-index": { type: "string" },
  entry: { type: "string" },
  "leaf-hash": { type: "string" },
  json: { type: "boolean" },
  watch: { type: "string" },
  state: { type: "string" },
  interval: { type: "string" },
  once: { type: "boolean" },
  patience: { type: "string" },
  "witness-age": { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

function parseArguments(args: readonly string[]): Asked | string {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    if (values.help === true) return "help";
    if (values.trust === undefined) return "name the trust file with --trust; what is verified cannot vouch for itself";
    const minimumIndex = countIn(values["minimum-index"]);
    if (minimumIndex === "malformed") return "--minimum-index takes a number of entries";
    const watching = readWatching(values);
    if (typeof watching === "string") return watching;
    const target = watching === undefined ? positionals[0] : watching.target;
    if (target === undefined || positionals.length !== (watching === undefined ? 1 : 0)) return "name one target: the folder of an export or log, a URL, or a file";
    return {
      target,
      trust: values.trust,
      json: values.json === true,
      old: values.old,
      minimumIndex,
      entry: values.entry,
      leafHash: values["leaf-hash"],
      watching,
    };
  } catch (error) {
    return error instanceof Error ? error.message : "the arguments cannot be read";
  }
}

function countIn(text: string | undefined): number | undefined | "malformed" {
  if (text === undefined) return undefined;
  return /^(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : "malformed";
}

async function run(asked: Asked, streams: Streams): Promise<ExitCode> {
  const text = fromUtf8(await readNamed(asked.trust, trustBytesMax));
  const trust = text.ok ? text.value : "";
  if (asked.watching !== undefined) return runWatch({ ...asked.watching, trust, json: asked.json, say: (line) => streams.out(line) });
  const old = asked.old === undefined ? undefined : await readNamed(asked.old, checkpointBytesMax);
  const entry = asked.entry === undefined ? asked.leafHash : await readNamed(asked.entry, entryBytesMax);
  const report = await verifyTarget({ target: asked.target, trust, old, entry, minimumIndex: asked.minimumIndex, ...(isUrl(asked.target) ? { log: logAtUrl(asked.target) } : {}) });
  if (typeof report === "string") return complain(streams, `error[usage]: ${report}\n\n${usage}`, 2);
  return say(streams, asked.json ? `${jsonOf(report)}\n` : formatReport(report), report.verified ? 0 : 1);
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

function say(streams: Streams, text: string, code: ExitCode): ExitCode {
  streams.out(text);
  return code;
}

function complain(streams: Streams, text: string, code: ExitCode): ExitCode {
  streams.err(text);
  return code;
}
