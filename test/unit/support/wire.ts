import { connect, createServer, type Socket } from "node:net";

/** A wire between a gateway and its control plane that a test can cut. */
export interface Wire {
  readonly url: string;
  cut(): void;
  heal(): void;
  close(): Promise<void>;
}

export async function openWire(to: string): Promise<Wire> {
  const sockets = new Set<Socket>();
  const port = Number(new URL(to).port);
  let whole = true;
  const server = createServer((near) => {
    if (!whole) return void near.destroy();
    const far = connect(port, "127.0.0.1");
    for (const [from, into] of [[near, far], [far, near]] as const) {
      sockets.add(from);
      from.on("error", () => into.destroy());
      from.on("close", () => {
        sockets.delete(from);
        into.destroy();
      });
      from.pipe(into);
    }
    return undefined;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    cut() {
      whole = false;
      for (const socket of sockets) socket.destroy();
    },
    heal() {
      whole = true;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
