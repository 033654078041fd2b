import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { openRecordKeeping } from "../server/record-keeping.ts";
import { runKeysList, runKeysProtect, runKeysRotate } from "./keys.ts";
import type { Terminal } from "./terminal.ts";

let root = "";
let said: string[] = [];
const terminal: Terminal = { out: (text) => said.push(text), err: (text) => said.push(text), colour: false, width: 100 };
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "licet-keys-cli-"));
  said = [];
});
afterEach(() => rm(root, { recursive: true, force: true }));

test("licet keys protects, rotates and lists: refused while a server runs or without the passphrase, and nothing secret is said", async () => {
  const options = { dir: join(root, "data"), keys: join(root, "keys") };
  const passphraseFile = join(root, "passphrase");
  await writeFile(passphraseFile, "correct horse battery\n");
  const server = await openRecordKeeping({ directory: options.dir, keysDirectory: options.keys, clock: systemClock });
  await expect(runKeysProtect({ ...options, passphraseFile }, terminal)).rejects.toMatchObject({ code: "data_locked" });
  await expect(runKeysRotate({ ...options, role: "statement" }, terminal)).rejects.toMatchObject({ code: "data_locked" });
  await server.close();
  const plain = JSON.parse(await readFile(join(options.keys, "keys.json"), "utf8"));
  await expect(runKeysProtect({ ...options, with: "passphrase" }, terminal)).rejects.toThrow("--passphrase-file");
  await expect(runKeysProtect({ ...options, with: "aws-kms" }, terminal)).rejects.toThrow("needs --key");
  expect(await runKeysProtect({ ...options, passphraseFile }, terminal)).toBe(0);
  await expect(runKeysRotate({ ...options, role: "statement" }, terminal)).rejects.toMatchObject({ code: "keys_locked" });
  await expect(runKeysRotate({ ...options, role: "log", with: "aws-kms" }, terminal)).rejects.toThrow("go together");
  expect(await runKeysRotate({ ...options, role: "statement", passphraseFile }, terminal)).toBe(0);
  said = [];
  expect(await runKeysList(options, terminal)).toBe(0);
  const rows = (said[0] ?? "").split("\n").map((row) => row.split(/ {2,}/u));
  expect(rows.map(([role, , algorithm, , retired, protection]) => [role, algorithm, retired === "in use", protection])).toEqual([
    ["ROLE", "ALGORITHM", false, "PROTECTION"],
    ["log", "ed25519", true, "passphrase"],
    ["log-mldsa", "ml-dsa-44", true, "passphrase"],
    ["statement", "ed25519", true, "passphrase"],
    ["root", "aes-256-gcm", true, "passphrase"],
    ["statement", "ed25519", false, "destroyed"],
  ]);
  expect(rows.at(-1)?.[1]).toBe(plain.statement.keyid.slice(0, 16));
  expect(rows[3]?.[1]).not.toBe(plain.statement.keyid.slice(0, 16));
  await runKeysList({ ...options, json: true }, terminal);
  for (const key of [plain.root, plain.log, plain.statement, plain["log-mldsa"]]) expect(said.join("\n")).not.toContain(key.secret);
});
