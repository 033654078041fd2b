#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const built = new URL('../dist/licet-verify.mjs', import.meta.url);
if (existsSync(fileURLToPath(built))) await import(built.href);
else {
  process.stderr.write('licet-verify: error[not_built]: run `npm run build` first\n');
  process.exit(3);
}
