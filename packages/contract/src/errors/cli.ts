import type { ErrorTable } from "./table.ts";

export const cliErrors = {
  port_taken: {
    status: 503,
    what: "another program listens on this port",
    why: "two servers on one port would answer for each other",
    fix: "stop the other program, or choose a port with `--port` and `--data-port`",
  },
  file_unreadable: {
    status: 422,
    what: "a file could not be read or written",
    why: "the command cannot go on without it",
    fix: "check the path, what lies there, and that you may read or write it",
  },
  already_exists: {
    status: 409,
    what: "the file or folder exists already",
    why: "nothing is overwritten unless you say so",
    fix: "choose another place, or repeat with `--force` where the command has it",
  },
  not_built: {
    status: 503,
    what: "the program has not been built",
    why: "the command runs the built code",
    fix: "run `npm run build` first",
  },
  host_needs_proxy: {
    status: 503,
    what: "the server listens beyond this machine only behind a named proxy",
    why: "sessions and credentials must not travel without TLS",
    fix: "put a reverse proxy with TLS in front and name it with `--trusted-proxy https://…`, or listen on 127.0.0.1",
  },
} as const satisfies ErrorTable;
