/**
 * Third-party packages that run in production, bundled or not: direct ones of packages/*, and their closure, read
 * from package-lock.json. Prints one line, or JSON with --json.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Node's own rule: the nearest node_modules upwards holds the package. */
function placeOf(packages, from, name) {
  const above = from.split("/node_modules/").map((_, at, parts) => parts.slice(0, parts.length - at).join("/node_modules/"));
  return [...above.map((at) => `${at}/node_modules/${name}`), `node_modules/${name}`].find((place) => packages[place] !== undefined);
}

function nameOf(place) {
  return place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length);
}

/** Optional peers are left out: who wants them installs them, and they would bring test tools in. */
function dependenciesOf({ dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta = {} }) {
  const peers = Object.keys(peerDependencies ?? {}).filter((name) => peerDependenciesMeta[name]?.optional !== true);
  return [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers];
}

/** Everything that `start` reaches, itself included. */
function closureOf(packages, start) {
  const reached = new Set();
  const queue = [...start];
  while (queue.length > 0) {
    const place = queue.pop();
    if (reached.has(place)) continue;
    reached.add(place);
    for (const name of dependenciesOf(packages[place])) {
      const next = placeOf(packages, place, name);
      if (next !== undefined && packages[next].link !== true) queue.push(next);
    }
  }
  return [...new Set([...reached].map((place) => `${nameOf(place)}@${packages[place].version}`))].sort();
}

/**
 * `direct`: each direct dependency with the number of packages that it is and brings. `closure`: name@version of all.
 * @returns {{direct: Record<string, number>, closure: string[]}}
 */
export function countDependencies(lock) {
  const { packages } = lock;
  const workspaces = Object.keys(packages).filter((path) => /^packages\/[^/]+$/u.test(path));
  const places = new Map();
  for (const workspace of workspaces) {
    for (const name of Object.keys(packages[workspace].dependencies ?? {})) {
      const place = placeOf(packages, workspace, name);
      if (place === undefined) throw new Error(`${name} of ${workspace} is not in the lock file`);
      if (packages[place].link !== true) places.set(name, place);
    }
  }
  const direct = Object.fromEntries([...places].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, place]) => [name, closureOf(packages, [place]).length]));
  return { direct, closure: closureOf(packages, places.values()) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { direct, closure } = countDependencies(JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")));
  if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify({ direct, closure }, null, 2)}\n`);
  else process.stdout.write(`dependencies in production: ${Object.keys(direct).length} direct, ${closure.length} in all\n`);
}
