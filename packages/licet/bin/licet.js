#!/usr/bin/env node
// npm links a bin only if it exists at install time, so this launcher is plain JavaScript and committed.
import { existsSync } from 'node:fs';
import module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const main = join(here, '../dist/main.js');
const [major, minor] = process.versions.node.split('.').map(Number);

function newerNode() {
  for (let dir = here; dirname(dir) !== dir; dir = dirname(dir)) {
    const candidate = join(dir, 'node_modules/.bin/node');
    if (existsSync(candidate)) return candidate;
  }
  return undefined;
}

if (major < 24 || (major === 24 && minor < 15)) {
  const node = newerNode();
  if (node === undefined || process.env.LICET_NODE_RETRIED === '1') {
    process.stderr.write(`licet: error[node_too_old]: this is Node.js ${process.version}; licet needs 24.15 or newer\n`);
    process.exit(3);
  }
  // The child shares the terminal's process group, so Ctrl-C reaches it by itself; this process only waits.
  const { spawn } = await import('node:child_process');
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit', env: { ...process.env, LICET_NODE_RETRIED: '1' } });
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 3) : 128 + 15));
} else if (!existsSync(main)) {
  process.stderr.write('licet: error[not_built]: run `npm run build` first\n');
  process.exit(3);
} else {
  // Compiled code is kept beside the program: whoever may write there could change the program itself. Where nobody may, none is kept.
  module.enableCompileCache?.(join(here, '../node_modules/.cache/licet'));
  await import(pathToFileURL(main).href);
}
