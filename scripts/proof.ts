/**
 * Runs a long proof and keeps its figures in docs/proofs.
 *
 *   npm run proof -- NAME [--minutes M | --rounds N] [--seed S] [--case C]
 *
 * The last line is the record as JSON. Exit code 0 when the promise held, 1 when it did not (nothing is written then, nor with --case),
 * 2 for an unknown name, or for one that cannot be run on this machine.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { proofs, ProofRecord, recordPath } from "./proofs/all.ts";
import { during, folderDigest, type Proof } from "./proofs/proof.ts";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { minutes: { type: "string", default: "10" }, rounds: { type: "string" }, seed: { type: "string", default: "1" }, case: { type: "string" } } });
const proof = proofs.find(({ name }) => name === positionals[0]);
const [minutes, seed, rounds] = [Number(values.minutes), Number(values.seed), Number(values.rounds ?? 20)];
const only = values.case === undefined ? undefined : Number(values.case);
const whyNot = proof?.whyNot?.();

if (proof === undefined || !(minutes > 0) || !(rounds > 0) || !Number.isSafeInteger(seed) || seed < 0 || (only !== undefined && !Number.isSafeInteger(only))) {
  console.error(`usage: npm run proof -- NAME [--minutes M | --rounds N] [--seed S] [--case C], with NAME one of ${proofs.map(({ name }) => name).join(", ")}`);
  process.exitCode = 2;
} else if (whyNot !== undefined) {
  console.error(`${proof.name} cannot be run here: ${whyNot}`);
  process.exitCode = 2;
} else {
  process.exitCode = await prove(proof);
}

async function prove(proof: Proof): Promise<number> {
  const { name, promise, covers } = proof;
  const digest = folderDigest(covers);
  console.log(`${name}: ${promise}`);
  const started = performance.now();
  const { figures, losses, table } = await proof.run({ seed, rounds, goOn: during(minutes * 60_000), ...(only !== undefined && { only }) });
  if (losses.length > 0) {
    for (const loss of losses.slice(0, 50)) console.log(`LOST ${loss}`);
    console.log(JSON.stringify({ name, seed, figures, table, losses: losses.length }));
    return 1;
  }
  if (only !== undefined) {
    console.log(JSON.stringify({ name, case: only, figures }));
    return 0;
  }
  const ran = Math.round((performance.now() - started) / 600) / 100;
  const record = ProofRecord.parse({ name, promise, covers, digest, seed, minutes: ran, figures, ...(table && { table }), losses, date: new Date().toISOString() });
  const path = recordPath(name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(record, null, 2)}\n`);
  console.log(JSON.stringify(record));
  return 0;
}
