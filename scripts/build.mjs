// Builds everything that ships: types and modules of the libraries, the verifier as one file,
// the server and command line as one bundle, the page. `node scripts/build.mjs [part …]`.
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
const asked = new Set(process.argv.slice(2));
const wanted = (part) => asked.size === 0 || asked.has(part);

/** A part is built again only when its inputs changed: `npm start` twice should not take twice. */
function fresh(part, patterns, output) {
  const hash = createHash("sha256").update(readFileSync("scripts/build.mjs")).update(readFileSync("package-lock.json"));
  for (const file of globSync(patterns).sort()) hash.update(file).update(readFileSync(file));
  const digest = hash.digest("hex");
  const stamp = join("node_modules/.cache/licet", `${part}.digest`);
  const same = existsSync(output) && existsSync(stamp) && readFileSync(stamp, "utf8") === digest;
  return {
    same,
    done() {
      mkdirSync(dirname(stamp), { recursive: true });
      writeFileSync(stamp, digest);
    },
  };
}

async function part(name, patterns, output, work) {
  if (!wanted(name)) return;
  const state = fresh(name, patterns, output);
  if (state.same) return;
  process.stdout.write(`building ${name}\n`);
  await work();
  state.done();
}

/** One build at a time in one tree: a second one waits, then finds everything fresh. A lock whose process is gone is nobody's. */
async function locked(work) {
  const lock = "node_modules/.cache/licet/build.lock";
  mkdirSync(dirname(lock), { recursive: true });
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      if (!alive(holderOf(lock))) rmSync(lock, { force: true });
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  try {
    await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** 0, nobody, when the lock went away meanwhile. */
function holderOf(lock) {
  try {
    return Number(readFileSync(lock, "utf8"));
  } catch {
    return 0;
  }
}

function alive(pid) {
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const shared = { bundle: true, format: "esm", conditions: ["source"], logLevel: "warning", sourcemap: "linked", legalComments: "linked" };

await locked(async () => {
  await part("libraries", ["packages/{contract,evidence,cedar,assurance,client}/src/**/*.{ts,json}"], "packages/contract/dist/index.js", async () => {
    for (const name of ["contract", "evidence", "cedar", "assurance", "client"]) {
      rmSync(`packages/${name}/dist`, { recursive: true, force: true });
      execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", `packages/${name}/tsconfig.build.json`], { stdio: "inherit" });
    }
  });

  await part("verifier", ["packages/evidence/src/**/*.ts"], "packages/evidence/dist/licet-verify.mjs", async () => {
    await build({ ...shared, entryPoints: ["packages/evidence/src/verify-entry.ts"], outfile: "packages/evidence/dist/licet-verify.mjs", platform: "node", target: "node20", sourcemap: false, legalComments: "none", banner: { js: "#!/usr/bin/env node" } });
    chmodSync("packages/evidence/dist/licet-verify.mjs", 0o755);
  });

  await part("server", ["packages/{contract,evidence,cedar,assurance,client,licet}/src/**/*.{ts,json}", "packages/licet/policies/**/*.*", "scripts/compile-policies.ts"], "packages/licet/dist/main.js", async () => {
    for (const old of globSync("packages/licet/dist/*.{js,map,json,txt}")) rmSync(old);
    rmSync("packages/licet/node_modules/.cache/licet", { recursive: true, force: true });
    await build({
      ...shared,
      entryPoints: {
        main: "packages/licet/src/cli/main.ts",
        "sqlite-worker": "packages/licet/src/db/sqlite-worker.ts",
        "isolated-child": "packages/assurance/src/subject/isolated-child.ts",
        "columnar-worker": "packages/assurance/src/table/columnar-worker.ts",
        ...Object.fromEntries(globSync("packages/licet/src/*/*-worker.ts").filter((f) => !f.includes("sqlite-worker")).map((f) => [f.split("/").at(-1).replace(/\.ts$/u, ""), f])),
      },
      outdir: "packages/licet/dist",
      splitting: true,
      platform: "node",
      target: "node24",
      external: ["pg-native", "@cedar-policy/cedar-wasm"], // cedar-wasm loads its .wasm from beside its own module
      banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
    });
    execFileSync(process.execPath, ["--conditions=source", "scripts/compile-policies.ts"], { stdio: "inherit" });
  });

  await part("page", ["packages/{web,contract,client,evidence}/src/**/*.{ts,tsx,css}", "packages/web/*.{html,ts}"], "packages/licet/dist/page/index.html", async () => {
    const { build: vite } = await import("vite");
    await vite({ configFile: "packages/web/vite.config.ts", logLevel: "warn" });
  });
});
