import { createServer } from "node:http";
import { reportFailure } from "../../packages/licet/src/cli/failure.ts";
import type { Terminal } from "../../packages/licet/src/cli/terminal.ts";

type Values = Readonly<Record<string, string | undefined>>;

/** What a job of a CI has around it: its environment, and a token service of the form of GitHub's. */
export interface CiJob {
  /** Where the job is told to ask for its token. */
  readonly serviceUrl: string;
  /** What the service was asked last. */
  readonly heard: { readonly url: string; readonly authorization: string };
  answers(status: number, body: string): void;
  set(values: Values): void;
  /** Runs a command as `licet` does, and answers what a person reads. */
  told(work: (terminal: Terminal) => Promise<number>): Promise<{ readonly code: number; readonly text: string }>;
  close(): Promise<void>;
}

/** Of the machine that runs the tests, which may itself be a CI. */
const outside = ["LICET_TOKEN", "LICET_OIDC_TOKEN", "LICET_OIDC_AUDIENCE", "GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_EVENT_PATH", "CI_COMMIT_AUTHOR", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"];

export async function ciJob(): Promise<CiJob> {
  const before = new Map(outside.map((name) => [name, process.env[name]]));
  let answer = { status: 500, body: "" };
  let heard = { url: "", authorization: "" };
  const service = createServer((request, response) => {
    heard = { url: request.url ?? "", authorization: request.headers.authorization ?? "" };
    response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((resolve) => {
    service.listen(0, "127.0.0.1", resolve);
  });
  const address = service.address();
  function set(values: Values): void {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
  set(Object.fromEntries(outside.map((name) => [name, undefined])));
  return {
    serviceUrl: `http://127.0.0.1:${String(typeof address === "object" ? address?.port : 0)}/token?api-version=2.0`,
    get heard() {
      return heard;
    },
    answers: (status, body) => {
      answer = { status, body };
    },
    set,
    async told(work) {
      const lines: string[] = [];
      const terminal = { out: (text: string) => void lines.push(text), err: (text: string) => void lines.push(text), colour: false, width: 100 };
      const code = await work(terminal).catch((error: unknown) => reportFailure(terminal, error));
      return { code, text: lines.join("\n") };
    },
    async close() {
      set(Object.fromEntries(before));
      service.closeAllConnections();
      await new Promise((resolve) => {
        service.close(resolve);
      });
    },
  };
}
