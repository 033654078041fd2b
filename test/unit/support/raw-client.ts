import { connect } from "node:net";

/** What came over the wire, and how the connection ended. */
export interface RawAnswer {
  readonly text: string;
  /** `end` is a clean half-close, `reset` a broken connection. */
  readonly ended: "end" | "reset" | "timeout";
}

/** Writes bytes as they are and reads until the connection ends, so that framing itself can be looked at. */
export function rawRequest(origin: string, text: string, options: { readonly waitMs?: number } = {}): Promise<RawAnswer> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve) => {
    let received = "";
    const socket = connect(Number(port), hostname, () => socket.write(text));
    const settle = (ended: RawAnswer["ended"]) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text: received, ended });
    };
    const timer = setTimeout(() => settle("timeout"), options.waitMs ?? 10_000);
    socket.on("data", (chunk) => {
      received += chunk.toString("utf8");
    });
    socket.on("end", () => settle("end"));
    socket.on("error", () => settle("reset"));
  });
}

export function rawPost(path: string, options: { readonly credential: string; readonly body: string }): string {
  const length = Buffer.byteLength(options.body);
  return [
    `POST ${path} HTTP/1.1`,
    "host: gateway",
    `authorization: Bearer ${options.credential}`,
    "content-type: application/json",
    `content-length: ${length}`,
    "",
    options.body,
  ].join("\r\n");
}
