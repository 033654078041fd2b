import { request as ask, type IncomingMessage } from "node:http";
import { connect } from "node:net";

/** What a caller has in its hands when its connection has ended. */
export interface Got {
  /** 0 where no answer came at all. */
  readonly status: number;
  readonly type: string;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  /** True when the answer ended as HTTP says that an answer ends. */
  readonly whole: boolean;
}

export interface Call {
  readonly origin: string;
  readonly method?: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface Calling {
  readonly got: Promise<Got>;
  /** When the first bytes of an answer are here. */
  readonly begun: Promise<void>;
  /** Goes away. */
  leave(): void;
}

/** Looks again and again until it is so. */
export async function until(isSo: () => boolean, what: string, timeoutMs = 8000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const patienceMs = 8000;

/** One request on a connection of its own. Never rejects: a broken connection is an answer too. */
export function call({ origin, method = "POST", path, headers, body }: Call): Calling {
  const begun = Promise.withResolvers<void>();
  const got = Promise.withResolvers<Got>();
  const outgoing = ask(origin + path, { method, agent: false, headers }, (answer) => {
    const chunks: Buffer[] = [];
    answer.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      begun.resolve();
    });
    answer.on("error", () => undefined);
    answer.on("close", () => {
      begun.resolve();
      got.resolve({ status: answer.statusCode ?? 0, type: answer.headers["content-type"] ?? "", headers: answer.headers, text: Buffer.concat(chunks).toString("utf8"), whole: answer.complete });
    });
  });
  const timer = setTimeout(() => outgoing.destroy(), patienceMs);
  void got.promise.then(() => clearTimeout(timer));
  outgoing.on("error", () => {
    begun.resolve();
    got.resolve({ status: 0, type: "", headers: {}, text: "", whole: false });
  });
  outgoing.end(body);
  return { got: got.promise, begun: begun.promise, leave: () => outgoing.destroy() };
}

export interface RawOptions {
  readonly reads?: boolean;
  readonly waitMs?: number;
  /** What is written a moment later. */
  readonly more?: () => Promise<string>;
}

/** Long enough for what was written to be read. */
const momentMs = 40;

/** Writes bytes as they are, and never reads more than the caller of this asks for. */
export function raw(origin: string, text: string, { reads = true, waitMs = 8000, more }: RawOptions = {}): Promise<Got> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve) => {
    let received = "";
    const socket = connect(Number(port), hostname, () => {
      socket.write(text);
      if (more !== undefined) setTimeout(() => void more().then((rest) => socket.write(rest)), momentMs);
    });
    const settle = () => {
      clearTimeout(timer);
      socket.destroy();
      const [head = "", ...rest] = received.split("\r\n\r\n");
      const status = Number(/^HTTP\/1\.1 (\d{3})/u.exec(head)?.[1] ?? 0);
      const length = Number(/^content-length: (\d+)/imu.exec(head)?.[1] ?? Number.NaN);
      const body = rest.join("\r\n\r\n");
      resolve({ status, type: /^content-type: (.+)$/imu.exec(head)?.[1] ?? "", headers: {}, text: body, whole: Buffer.byteLength(body) === length });
    };
    const timer = setTimeout(settle, waitMs);
    if (reads)
      socket.on("data", (chunk) => {
        received += chunk.toString("utf8");
        const length = Number(/^content-length: (\d+)/imu.exec(received)?.[1] ?? Number.NaN);
        if (Buffer.byteLength(received) - received.indexOf("\r\n\r\n") - 4 >= length) settle();
      });
    else socket.pause();
    socket.on("close", settle);
    socket.on("end", settle);
    socket.on("error", () => undefined);
  });
}
