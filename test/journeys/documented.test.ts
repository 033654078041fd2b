import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { program } from "../../packages/licet/src/cli/program.ts";
import { commandsIn, documents, type DocumentedCommand } from "./support/documented.ts";
import { buildProduct, licet, root, run, type Ran } from "./support/run.ts";
import { freePort, newPlace, startServer, temporaryFolder, type Place, type Server } from "./support/server.ts";

const temporary = temporaryFolder();
const folder = temporary.path;
const password = "correct horse battery";
const silent = { out: () => undefined, err: () => undefined, colour: false, width: 80 };

beforeAll(() => {
  buildProduct();
});

afterAll(() => temporary.remove());

/** How a documented line is treated. One that no row knows fails the test: it is new, and nobody has tried it. */
type Row =
  | { readonly line: RegExp; readonly run: true; readonly code?: number; readonly says?: RegExp; readonly change?: (line: string) => string }
  | { readonly line: RegExp; readonly run: false; readonly because: string };

const tour: readonly Row[] = [
  { line: /^npm ci && npm start/u, run: false, because: "installs and builds anew; the build and the start are made by this test" },
  { line: /^npm run demo/u, run: false, because: "demo.test.ts runs the demo" },
  { line: /^npm (ci && npm )?test/u, run: false, because: "this test is a part of it" },
  { line: /^npm run (bench|proof|oracles)/u, run: false, because: "measures for minutes; .ci/run has a step for it" },
  { line: /^curl http:\/\/\S+\/api\/setup/u, run: true, says: /"email":"me@example.com"/u },
  { line: /licet login --email/u, run: true, change: (line) => `${line} --password-file ${join(folder, "password")}`, says: /signed in/u },
  { line: /licet people grant/u, run: true, says: /granted developer \(sole operator\)\ngranted platform-engineer \(sole operator\)/u },
  { line: /simulator\.ts &$/u, run: true, change: (line) => `PORT=$SIMULATOR_PORT exec ${line.replace(/ &$/u, "")}`, says: /simulator \(not a model\)/u },
  { line: /licet provider add/u, run: true, says: /registered simulator/u },
  { line: /^export LICET_/u, run: true },
  { line: /^LICET_CREDENTIAL=none .*ask\.ts/u, run: true, code: 1, says: /refused: credential_invalid[\s\S]*policy: \S[\s\S]*remedy: \S[\s\S]*decision: dec_/u },
  { line: /licet push /u, run: true, says: /pushed to main/u },
  { line: /licet gate /u, run: true, says: /requirements|allowed/u },
  { line: /licet promote .*--to pilot/u, run: true, says: /granted: ato_/u },
  { line: /licet deploy record/u, run: true, says: /credential in/u },
  { line: /ask\.ts /u, run: true, says: /decision: dec_/u },
  { line: /licet hold place/u, run: true, says: /held/u },
  { line: /licet hold list/u, run: true, says: /in force/u },
  { line: /licet hold lift/u, run: true, says: /lifted/u },
  { line: /licet trust export/u, run: true, says: /fingerprint sha256:/u },
  { line: /licet audit export/u, run: true, says: /wrote \d+ files/u },
  { line: /licet-verify\.mjs/u, run: true, says: /verified\s*$/u },
];

const elsewhere: readonly Row[] = [
  { line: /^npm (ci|start|test|install)|^npm run |^npx (--no-install )?(vitest|oxlint|tsc)/u, run: false, because: "builds, measures or tests this repository" },
  { line: /^(npx --no-install )?node .*licet-verify\.mjs/u, run: false, because: "story-prove.ts runs the built verifier" },
  { line: /^(npx --no-install )?node (--\S+ )?.*(simulator|ask|predict)\.ts/u, run: false, because: "the story runs the examples' programs" },
  { line: /^(npx --no-install )?node (--\S+ )?(scripts|bench)\//u, run: false, because: "a part of `npm test` or of .ci/run" },
  { line: /^curl /u, run: false, because: "the API tests send it; the story reads /stats" },
  { line: /^export LICET_|^LICET_\w+=/u, run: false, because: "sets what the README's tour sets" },
];

/** A bare machine may lack it; the request is the same. */
const haveCurl = spawnSync("curl", ["--version"]).status === 0;

async function asCurlWould(line: string): Promise<Ran> {
  const [, url = "", header = "", body = ""] = /^curl (\S+) -H '([^']+)' -d '([^']+)'$/u.exec(line) ?? [];
  const [name = "", value = ""] = header.split(": ");
  const response = await fetch(url, { method: "POST", headers: { [name]: value }, body });
  return { code: 0, out: await response.text(), err: "", milliseconds: 0 };
}

function rowOf(rows: readonly Row[], command: DocumentedCommand): Row {
  const row = rows.find(({ line }) => line.test(command.command));
  if (row === undefined) throw new Error(`${command.file}: no row says how to treat \`${command.command}\``);
  return row;
}

describe("the README's tour", () => {
  const commands = commandsIn("README.md");
  const env: Record<string, string> = {};
  const started: { stop(): void }[] = [];
  let place: Place;
  let server: Server;

  beforeAll(async () => {
    place = await newPlace(folder);
    server = await startServer(place);
    writeFileSync(join(folder, "password"), `${password}\n`);
    env["LICET_URL"] = server.url;
    env["LICET_SESSION_FILE"] = join(folder, "sessions.json");
    // npm itself takes a second each time: its one word is tried once below, and stands aside for the tour.
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "bin/npx"), `#!/bin/sh\nshift\nexec node_modules/.bin/"$@"\n`, { mode: 0o755 });
    env["PATH"] = `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`;
    env["SIMULATOR_PORT"] = String(await freePort());
  });

  afterAll(async () => {
    for (const each of started) each.stop();
    await server.signal("SIGTERM");
  });

  /** The reader's ports and places, for ours; nothing else of the line changes. */
  function placed(line: string): string {
    return line
      .replaceAll("localhost:4400", `localhost:${place.port}`)
      .replaceAll("127.0.0.1:4401", `127.0.0.1:${place.dataPort}`)
      .replaceAll("127.0.0.1:4110", `127.0.0.1:${env["SIMULATOR_PORT"] ?? ""}`)
      .replaceAll(".licet-credential", join(folder, "credential"))
      .replaceAll("../trust.json", join(folder, "trust.json"))
      .replaceAll("../audit", join(folder, "audit"))
      .replaceAll("PASTE-IT-HERE", /#token=(\S+)$/u.exec(server.setupUrl ?? "")?.[1] ?? "")
      .replaceAll("HOLD-ID", env["HOLD"] ?? "");
  }

  async function background(line: string): Promise<Ran> {
    const child = spawn("bash", ["-c", line], { cwd: root, env: { ...process.env, NODE_OPTIONS: "", ...env }, stdio: ["ignore", "pipe", "ignore"], detached: true });
    started.push({ stop: () => process.kill(-(child.pid ?? 0), "SIGTERM") });
    const out = await new Promise<string>((resolve) => child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString("utf8"))));
    return { code: 0, out, err: "", milliseconds: 0 };
  }

  async function typed(command: DocumentedCommand, change: (line: string) => string): Promise<Ran> {
    const line = placed(change(command.command));
    if (command.command.endsWith("&")) return background(line);
    if (line.startsWith("curl ") && !haveCurl) return asCurlWould(line);
    const name = /^export (\w+)=/u.exec(line)?.[1];
    const ran = await run("bash", ["-c", name === undefined ? line : `${line}; printf %s "$${name}"`], { env });
    if (name !== undefined) env[name] = ran.out;
    env["HOLD"] = /\((hold_\w+)\)/u.exec(ran.out)?.[1] ?? env["HOLD"] ?? "";
    return ran;
  }

  it("npx --no-install finds what npm ci installed", async () => {
    expect(await run("npx", ["--no-install", "licet", "--version"])).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/u) });
  });

  it("every command of it does what it says, in the order in which it stands there", async () => {
    expect(commands.length).toBeGreaterThan(15);
    const seen = [];
    for (const command of commands) {
      const row = rowOf(tour, command);
      if (!row.run) continue;
      const promised = /refused: (\w+)/u.exec(command.comment)?.[1];
      const ran = await typed(command, row.change ?? ((line) => line));
      seen.push(command.command);
      const says = promised === undefined ? (row.says ?? /^/u) : new RegExp(`refused: ${promised}`, "u");
      const text = `$ ${command.command}\n${ran.out}${ran.err}`;
      expect(text).toMatch(says);
      expect([text, ran.code]).toEqual([text, promised === undefined ? (row.code ?? 0) : 1]);
    }
    expect(seen.filter((line) => line.includes("licet-verify.mjs"))).toHaveLength(1);
  });
});

describe("other documents", () => {
  const commands = documents().flatMap(commandsIn);
  const ofLicet = commands.filter(({ command }) => /^(npx --no-install )?licet /u.test(command));

  it("the built program prints the help that the next test reads", async () => {
    expect(await licet(["hold", "place", "--help"])).toMatchObject({ code: 0, out: helpOf(["hold", "place"]) });
  });

  it("a documented `licet` line names a command that exists, with options that it has", () => {
    expect(ofLicet.length).toBeGreaterThan(5);
    for (const { file, command } of ofLicet) {
      const words = command.replace(/^npx --no-install /u, "").split(/\s+/u).slice(1);
      const path = words.slice(0, words.findIndex((word) => !/^[a-z][a-z-]*$/u.test(word)) >>> 0).slice(0, 3);
      const help = helpOf(path);
      const options = [...command.matchAll(/--[a-z][a-z-]*/gu)].map(([option]) => option).filter((option) => option !== "--no-install");
      const unknown = ["Usage: licet", ...options].filter((text) => !help.includes(text));
      expect({ file, command, unknown }).toEqual({ file, command, unknown: [] });
    }
  });

  it("every other documented line is known here, with the reason why it is not run", () => {
    for (const command of commands) {
      if (ofLicet.includes(command)) continue;
      const row = rowOf(elsewhere, command);
      expect(row.run ? "" : row.because).not.toBe("");
    }
    expect(existsSync(join(root, "docs/cli.md"))).toBe(true);
  });

  /** Of the command that these words name; nothing where a word names none. What follows a command's own name is its argument. */
  function helpOf(path: readonly string[]): string {
    let command: ReturnType<typeof program> = program(silent);
    for (const word of path) {
      if (command.commands.length === 0) break;
      const next = command.commands.find((each) => each.name() === word);
      if (next === undefined) return "";
      command = next;
    }
    return command.helpInformation();
  }
});
