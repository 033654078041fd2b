import { errors, type ErrorInfo } from "@licet/contract";
import { assuranceErrors } from "../../packages/contract/src/errors/assurance.ts";
import { atoErrors } from "../../packages/contract/src/errors/ato.ts";
import { cliErrors } from "../../packages/contract/src/errors/cli.ts";
import { coreErrors } from "../../packages/contract/src/errors/core.ts";
import { gatewayErrors } from "../../packages/contract/src/errors/gateway.ts";
import { identityErrors } from "../../packages/contract/src/errors/identity.ts";
import { inventoryErrors } from "../../packages/contract/src/errors/inventory.ts";
import { manifestErrors } from "../../packages/contract/src/errors/manifest.ts";
import { oversightErrors } from "../../packages/contract/src/errors/oversight.ts";
import { policyErrors } from "../../packages/contract/src/errors/policy.ts";
import { riskErrors } from "../../packages/contract/src/errors/risk.ts";
import { storageErrors } from "../../packages/contract/src/errors/storage.ts";
import { cell } from "./block.ts";

const areas: readonly (readonly [title: string, codes: readonly string[]])[] = [
  ["Any part", Object.keys(coreErrors)],
  ["Data directory, database, log, keys", Object.keys(storageErrors)],
  ["Manifest", Object.keys(manifestErrors)],
  ["Releases and providers", Object.keys(inventoryErrors)],
  ["Assessment", Object.keys(riskErrors)],
  ["Policies", Object.keys(policyErrors)],
  ["People, sign-in, roles", Object.keys(identityErrors)],
  ["Checks and results", Object.keys(assuranceErrors)],
  ["Requests, approvals, holds", Object.keys(oversightErrors)],
  ["Authorizations and deployments", Object.keys(atoErrors)],
  ["Gateway", Object.keys(gatewayErrors)],
  ["Command line", Object.keys(cliErrors)],
];

const intro = `# Errors

Every code that Licet can answer with. A code never changes its meaning. Each has an HTTP status, and says what happened,
why it is so, and how to fix it. The command line prints \`licet: error[CODE]: what\` and the fix. The API answers
\`application/problem+json\` (RFC 9457) with \`code\`; the gateway answers an OpenAI-shaped error with \`error.code\`.

This page is made from the registry in \`packages/contract/src/errors/\`: \`npx --no-install node --conditions=source scripts/docs-errors.ts\`.
`;

/** Every code of the registry once; a code of an area that this list lacks comes last, so that none is lost. */
export function errorsPage(): string {
  const listed = new Set<string>();
  const sections = [...areas, ["Others", Object.keys(errors)] as const].flatMap(([title, codes]) => {
    const fresh = codes.filter((code) => !listed.has(code));
    for (const code of fresh) listed.add(code);
    return fresh.length === 0 ? [] : [`## ${title}\n\n${fresh.map(section).join("\n\n")}\n`];
  });
  return [intro, ...sections].join("\n");
}

function section(code: string): string {
  const found = Object.entries<ErrorInfo>(errors).find(([name]) => name === code)?.[1];
  if (found === undefined) throw new Error(`\`${code}\` is in no registry`);
  return [`### \`${code}\``, "", `Status ${found.status}`, "", `- What: ${cell(found.what)}`, `- Why: ${cell(found.why)}`, `- Fix: ${cell(found.fix)}`].join("\n");
}
