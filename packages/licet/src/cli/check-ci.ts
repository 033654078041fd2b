import { ApiError, createClient } from "@licet/client";
import type { RouteAnswer } from "@licet/contract";
import { ciToken, commitAuthors } from "./ci-token.ts";
import { claimLines } from "./ci-rules.ts";
import { UsageError } from "./failure.ts";
import { serverUrl, type Connection, type ServerOptions } from "./session.ts";
import type { Terminal } from "./terminal.ts";

export interface CiOptions extends ServerOptions {
  readonly audience?: string;
  readonly author?: readonly string[];
}

export interface CiConnection extends Connection {
  /** What is said of it when the results are in, with the address of the run as the record has it. */
  readonly said: (runUrl: string | null) => string;
}

const claimCodes: readonly string[] = ["ci_token_refused", "ci_audience_refused"];

/** A connection with the right to one counted run, for the token that this job's CI gives it. */
export async function connectCi(options: CiOptions, system: string, terminal: Terminal): Promise<CiConnection> {
  const url = serverUrl(options);
  const space = options.space ?? process.env["LICET_SPACE"] ?? "main";
  const stray = options.author?.find((text) => !text.includes("@"));
  if (stray !== undefined) throw new UsageError(`\`${stray}\` is no e-mail address`);
  const token = await ciToken(process.env, options.audience ?? (process.env["LICET_OIDC_AUDIENCE"] || url));
  const authors = commitAuthors(process.env, options.author ?? []);
  const run = await createClient({ baseUrl: url })("exchangeCiToken", { params: { space, system }, body: { token: token.text, authors } }).catch((error: unknown) => {
    if (error instanceof ApiError && claimCodes.includes(error.code)) for (const line of claimLines(token.claims, system)) terminal.err(line);
    throw error;
  });
  terminal.err(`run ${run.run} of ${placeOf(run)}${authors.length === 0 ? "" : `, ${authors.length} commit authors named`}`);
  return { url, space, client: createClient({ baseUrl: url, token: run.secret }), said: (runUrl) => `producer \`ci\`: ${placeOf(run)}, ${runUrl ?? `run ${run.run}`}` };
}

function placeOf({ repository, ref, commit }: RouteAnswer<"exchangeCiToken">): string {
  return `${repository} ${ref}${commit === null ? "" : ` ${commit.slice(0, 12)}`}`;
}
