import { spawn } from "node:child_process";
import { join } from "node:path";

export interface Simulator {
  readonly baseUrl: string;
  stop(): void;
}

const startMsMax = 10_000;

/** The labelled simulator of the example, as a process of its own. */
export async function startSimulator(examples: string): Promise<Simulator> {
  const child = spawn(process.execPath, [join(examples, "helpdesk-assistant", "simulator.ts")], {
    env: { ...process.env, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  // Also when this process is ended hard enough to skip its own ending.
  process.once("exit", () => child.kill());
  const baseUrl = await new Promise<string>((resolve, reject) => {
    let text = "";
    const timer = setTimeout(() => reject(new Error("the simulator did not start")), startMsMax);
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
      const found = /http:\/\/[\w.:[\]]+\/v1/u.exec(text);
      if (found === null) return;
      clearTimeout(timer);
      resolve(found[0]);
    });
    child.once("exit", () => reject(new Error("the simulator ended")));
  });
  return {
    baseUrl,
    stop: () => {
      child.kill();
    },
  };
}
