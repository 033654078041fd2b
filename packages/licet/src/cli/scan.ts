import { FileSource, scanArtifact, type ArtifactScan } from "@licet/assurance";
import { exitCodes, type ExitCode } from "./failure.ts";
import { painted, type Terminal } from "./terminal.ts";

const words = { pass: "pass", fail: "fail", insufficient_evidence: "insufficient" } as const;
const tones = { pass: "green", fail: "red", insufficient_evidence: "yellow" } as const;

/** Looks at files of models without loading them. Needs no manifest and no server; nothing is recorded. */
export async function runScan(files: readonly string[], options: { readonly json?: boolean }, terminal: Terminal): Promise<ExitCode> {
  const scans: (ArtifactScan & { readonly file: string })[] = [];
  for (const file of files) {
    const source = new FileSource(file);
    try {
      scans.push({ file, ...(await scanArtifact(source, { name: file })) });
    } finally {
      source.close();
    }
  }
  if (options.json === true) terminal.out(JSON.stringify(scans, null, 2));
  else for (const scan of scans) print(scan, terminal);
  return scans.every(({ verdict }) => verdict === "pass") ? exitCodes.fine : exitCodes.findings;
}

function print({ file, verdict, findings, format, globals }: ArtifactScan & { readonly file: string }, terminal: Terminal): void {
  terminal.out(`${painted(terminal, tones[verdict], words[verdict].padEnd(12))}  ${file}  ${format.format}, ${format.bytes} bytes, sha256:${format.sha256}`);
  for (const { severity, rule, path, offset, what, remedy } of findings) {
    terminal.out(`              ${severity} ${rule}: ${path === file ? "" : `${path}: `}${what}${offset === null ? "" : ` (byte ${offset})`}`);
    terminal.out(painted(terminal, "gray", `                ${remedy}`));
  }
  if (globals.length > 0) terminal.out(painted(terminal, "gray", `              loading it imports ${globals.slice(0, importsMax).map((each) => `${each.module}.${each.name}`).join(", ")}${globals.length > importsMax ? ", …" : ""}`));
}

const importsMax = 12;
